/**
 * Builds the workspace: protobuf code is generated where its source changed, TypeScript is compiled file by
 * file into each package's `dist/`. Types are checked separately (`npm run typecheck`); a build never waits for them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';
import buildState from './build-state.cjs';
import pidLock from './pid-lock.cjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const swcOptions = { ...JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8')), swcrc: false };

const packages = ['libs', 'services'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
);

const cache = join(root, '.cache');
const toolVersion = (name) => join(root, 'node_modules', name, 'package.json');

/**
 * One build at a time: two would delete each other's generated code. A checkout that cannot be written is not built,
 * and needs not be while what was built there is of its sources.
 */
function lockBuild() {
  try {
    pidLock.hold(join(cache, 'build.lock'));
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM'].includes(error.code) || !buildState.isCurrent()) throw error;
    console.log('build is up to date');
    process.exit(0);
  }
}

/** A reader sees the file before or after, never half of it. */
function replaceFile(path, content) {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

function filesBelow(folder, keep) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && keep(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Runs `generate` unless `output` already carries the fingerprint of `sources`. */
function generateOnce(label, sources, output, generate) {
  const hash = createHash('sha256');
  for (const file of sources.toSorted()) hash.update(readFileSync(file));
  const fingerprint = hash.digest('hex');
  const stamp = join(output, '.fingerprint');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return;
  console.log(`generating ${label}`);
  rmSync(output, { recursive: true, force: true });
  generate();
  writeFileSync(stamp, fingerprint);
}

function run(tool, args, env = {}) {
  const bin = join(root, 'node_modules', '.bin', tool);
  const path = [dirname(process.execPath), join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const result = spawnSync(bin, args, { cwd: root, encoding: 'utf8', env: { ...process.env, PATH: path, ...env } });
  if (result.status !== 0) throw new Error(`${tool} ${args.join(' ')} failed\n${result.stdout}${result.stderr}`);
}

function generateContracts() {
  const sources = filesBelow(join(root, 'proto'), (name) => name.endsWith('.proto'));
  const output = join(root, 'libs/contracts/src/generated');
  const inputs = [...sources, join(root, 'proto/buf.gen.yaml'), toolVersion('@bufbuild/protoc-gen-es')];
  generateOnce('contracts', inputs, output, () =>
    run('buf', ['generate', 'proto', '--template', 'proto/buf.gen.yaml']),
  );
}

const isSource = (name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.endsWith('.spec.ts');

/**
 * Time of the last change, in whole milliseconds. What is compiled gets that of its source: a source that is put back as it was
 * before is older than what was made of the one in between, and still another.
 */
function changeOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && new Date(Math.trunc(found.mtimeMs));
}

function compile(sourceFolder, targetFolder, recompile) {
  const wanted = new Set();
  let compiled = 0;
  for (const source of filesBelow(sourceFolder, isSource)) {
    const target = join(targetFolder, relative(sourceFolder, source)).replace(/\.ts$/, '.js');
    wanted.add(target);
    const changed = changeOf(source);
    if (!recompile && changeOf(target)?.getTime() === changed.getTime()) continue;
    mkdirSync(dirname(target), { recursive: true });
    const { code, map } = transformFileSync(source, swcOptions);
    replaceFile(`${target}.map`, map ?? '');
    replaceFile(target, `${code}\n//# sourceMappingURL=${basename(target)}.map\n`);
    utimesSync(target, changed, changed);
    compiled += 1;
  }
  for (const stale of filesBelow(targetFolder, (name) => name.endsWith('.js'))) {
    if (!wanted.has(stale)) rmSync(stale);
  }
  return compiled;
}

/** Compiles all packages, and the programs into the root's `dist/`. */
function compileEverything() {
  const compiler = [swcOptions, readFileSync(toolVersion('@swc/core'), 'utf8')]
    .map((part) => JSON.stringify(part))
    .join();
  const compilerFile = join(cache, 'compiler');
  const recompile = !existsSync(compilerFile) || readFileSync(compilerFile, 'utf8') !== compiler;
  const folders = [
    ...packages.map((folder) => [join(folder, 'src'), join(folder, 'dist')]),
    ...buildState.programs.map((name) => [join(root, name), join(root, 'dist', name)]),
  ];
  const compiled = folders.reduce((sum, [source, target]) => sum + compile(source, target, recompile), 0);
  replaceFile(compilerFile, compiler);
  return compiled;
}

lockBuild();
const built = buildState.fingerprint();
generateContracts();
const compiled = compileEverything();
buildState.record(built);
console.log(compiled === 0 ? 'build is up to date' : `compiled ${compiled} files`);
