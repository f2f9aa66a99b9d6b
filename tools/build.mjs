/**
 * Builds the workspace: protobuf and Prisma code is generated where its source changed, TypeScript is compiled file by
 * file into each package's `dist/`. Types are checked separately (`npm run typecheck`); a build never waits for them.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const swcOptions = { ...JSON.parse(readFileSync(join(root, '.swcrc'), 'utf8')), swcrc: false };

const packages = ['libs', 'services'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(root, group, name)),
);

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
  generateOnce('contracts', [...sources, join(root, 'proto/buf.gen.yaml')], output, () =>
    run('buf', ['generate', 'proto', '--template', 'proto/buf.gen.yaml']),
  );
}

function generatePrismaClients() {
  for (const folder of packages) {
    const schema = join(folder, 'prisma/schema.prisma');
    if (!existsSync(schema)) continue;
    generateOnce(`Prisma client of ${relative(root, folder)}`, [schema], join(folder, 'src/generated/prisma'), () =>
      // Prisma's CLI would download an engine that `generate` does not use; naming any program stops that.
      run('prisma', ['generate', '--schema', schema], { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }),
    );
  }
}

function compile(folder) {
  const isSource = (name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.endsWith('.spec.ts');
  const wanted = new Set();
  let compiled = 0;
  for (const source of filesBelow(join(folder, 'src'), isSource)) {
    const target = join(folder, 'dist', relative(join(folder, 'src'), source)).replace(/\.ts$/, '.js');
    wanted.add(target);
    if (existsSync(target) && statSync(target).mtimeMs >= statSync(source).mtimeMs) continue;
    mkdirSync(dirname(target), { recursive: true });
    const { code, map } = transformFileSync(source, swcOptions);
    writeFileSync(target, `${code}\n//# sourceMappingURL=${target.split('/').at(-1)}.map\n`);
    writeFileSync(`${target}.map`, map ?? '');
    compiled += 1;
  }
  for (const stale of filesBelow(join(folder, 'dist'), (name) => name.endsWith('.js'))) {
    if (!wanted.has(stale)) rmSync(stale);
  }
  return compiled;
}

generateContracts();
generatePrismaClients();
const compiled = packages.reduce((sum, folder) => sum + compile(folder), 0);
console.log(compiled === 0 ? 'build is up to date' : `compiled ${compiled} files`);
