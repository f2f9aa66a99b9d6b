/**
 * `node tools/service-image.mjs vector --out FOLDER [--platform linux-x64]`: the file tree of one service's container image,
 * made without a container engine. Which packages a service needs follows from what its compiled code imports, so the
 * image of one service never carries what only another one uses. `tools` in place of a service makes the image of what operators run:
 * `node main.js backup|restore|doctor|topics`.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = realpathSync(fileURLToPath(new URL('..', import.meta.url)));

/** What of a workspace package is read at run time. */
const workspaceParts = ['dist', 'package.json', 'migrations', 'prisma', 'bundled'];

/** What the image of tools runs, by the first argument; `shift` takes that argument away, where the program does not read it itself. */
const toolPrograms = {
  backup: { path: 'dist/backup/main.js' },
  restore: { path: 'dist/backup/main.js' },
  doctor: { path: 'dist/doctor/main.js', shift: true },
  topics: { path: 'tools/topics.mjs', shift: true },
};

/** Loaded by a name that stands in no import of ours. */
const loadedByName = {
  '@nestjs/microservices': ['@grpc/grpc-js', '@grpc/proto-loader'],
};

/** Files of another service, found under the same path: embedding reads the models that the model service verified. */
const sharedFiles = { embedding: [['services/model', 'bundled']] };

/** Dependencies that a package uses while it is installed, or only for what we do not do with it. */
const neverLoaded = {
  '@qdrant/js-client-rest': ['typescript'], // its types are checked by it
  'onnxruntime-node': ['adm-zip', 'global-agent'], // its installer
  'pdfjs-dist': ['@napi-rs/canvas'], // drawing pages; the parser reads text and may load no addon
  usearch: ['node-addon-api'], // headers for its compiler
};

/** Folders of a package that nothing here reads. */
const unusedFolders = {
  'pdfjs-dist': ['build', 'image_decoders', 'types', 'web', 'legacy/image_decoders', 'legacy/web'],
  usearch: ['c', 'cmake', 'cpp', 'include', 'numkong'],
  '@bufbuild/protobuf': ['dist/cjs'],
};

const unusedFile = /\.(d\.[mc]?ts|map|md|markdown|[ch]|cc|cpp|hpp|gyp|ts)$/i;
const systems = ['darwin', 'linux', 'win32', 'windows', 'freebsd', 'android', 'aix'];
const processors = ['x64', 'arm64', 'ia32', 'arm', 'ppc64', 's390x'];

/** Whether a folder such as `linux-arm64`, `darwin` or `darwin/x64` holds what runs on another platform. */
function isForeign(folder, platform) {
  const [system, processor] = platform.split('-');
  const [name, parent] = folder.split('/').toReversed();
  const [first, ...rest] = name.split(/[-+]/);
  if (systems.includes(first)) return first !== system || (rest.length > 0 && !rest.includes(processor));
  return processors.includes(name) && systems.includes(parent ?? '') && name !== processor;
}

function filesBelow(folder, skip, prefix = '') {
  return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (entry.isDirectory()) return skip(path) ? [] : filesBelow(folder, skip, path);
    return entry.isFile() ? [path] : [];
  });
}

/** Where Node would find a package when `from` asks for it; undefined when it is not installed. */
function findPackage(name, from) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const packageName = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Packages that code names in import, export, import(), require or resolve. */
function importsIn(files) {
  const names = new Set();
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    for (const [, specifier] of text.matchAll(
      /(?:\bfrom|\bimport|\bimport\(|require\(|resolve\()\s*['"]([\w@.:#/-]+)['"]/g,
    )) {
      if (!/^(\.|node:|#|file:)/.test(specifier) && !builtinModules.includes(specifier))
        names.add(packageName(specifier));
    }
  }
  return names;
}

const codeBelow = (folder) =>
  filesBelow(folder, (path) => path === 'test')
    .filter((file) => file.endsWith('.js'))
    .map((file) => join(folder, file));

/** The files of the tools themselves. */
const toolFiles = () =>
  ['dist/backup', 'dist/doctor']
    .flatMap((folder) => codeBelow(join(root, folder)))
    .concat(join(root, 'tools/topics.mjs'));

/** Names of what an installed package needs beside itself. Peers that are optional are for those who use them. */
function dependenciesOf(name, manifest) {
  const optionalPeers = Object.entries(manifest.peerDependenciesMeta ?? {}).filter(([, { optional }]) => optional);
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter(
    (peer) => !optionalPeers.some(([optional]) => optional === peer),
  );
  const own = [...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.optionalDependencies ?? {})];
  const unused = neverLoaded[name] ?? [];
  return [...own, ...peers, ...(loadedByName[name] ?? [])].filter((dependency) => !unused.includes(dependency));
}

/** Every package folder that a service, or the tools, reach: ours by what their code imports, others by their manifests. */
function reach(service) {
  const folders = new Map();
  const links = new Map();
  const visit = (folder, name) => {
    const real = realpathSync(folder);
    if (real !== folder) links.set(folder, real);
    if (folders.has(real)) return;
    folders.set(real, name);
    const isOurs = !relative(root, real).startsWith('node_modules');
    const needed = isOurs ? importsIn(codeBelow(join(real, 'dist'))) : dependenciesOf(name, manifestOf(real));
    visitAll(needed, { name, from: real, isOurs });
  };
  const visitAll = (needed, { name, from, isOurs }) => {
    for (const dependency of needed) {
      const found = dependency === name ? undefined : findPackage(dependency, from);
      if (found) visit(found, dependency);
      else if (isOurs && dependency !== name) throw new Error(`${name} imports ${dependency}, which is not installed`);
    }
  };
  if (service === 'tools') visitAll(importsIn(toolFiles()), { name: 'tools', from: root, isOurs: true });
  else visit(join(root, 'services', service), `@ragmesh/service-${service}`);
  return { folders, links };
}

function place(source, target) {
  mkdirSync(dirname(target), { recursive: true });
  try {
    linkSync(source, target); // no bytes are copied where both lie on one disk
  } catch {
    copyFileSync(source, target);
  }
}

function copyPackage(folder, name, out, platform) {
  const here = relative(root, folder);
  if (!here.startsWith('node_modules')) {
    for (const part of workspaceParts) copyPart(folder, part, join(out, here));
    return;
  }
  const unused = unusedFolders[name] ?? [];
  const skip = (path) => path.endsWith('node_modules') || unused.includes(path) || isForeign(path, platform);
  for (const file of filesBelow(folder, skip)) {
    if (!unusedFile.test(file) || /licen[cs]e|notice/i.test(file)) place(join(folder, file), join(out, here, file));
  }
}

function copyPart(folder, part, target) {
  const source = join(folder, part);
  if (!existsSync(source)) return;
  if (lstatSync(source).isFile()) return place(source, join(target, part));
  for (const file of filesBelow(source, () => false)) place(join(source, file), join(target, part, file));
}

/** The program that runs one of the tools. */
const toolsMain = () => `const programs = ${JSON.stringify(toolPrograms)};
const program = programs[process.argv[2]];
if (program) {
  if (program.shift) process.argv.splice(2, 1);
  await import('./' + program.path);
} else {
  process.stderr.write('Usage: ' + Object.keys(programs).join('|') + ' [options]\\n');
  process.exitCode = 2;
}
`;

/**
 * Builds the tree in `out`, which is emptied first. `main.js` in it starts the service.
 * @returns the names of the packages in it.
 */
export function buildServiceTree(service, out, platform = `${process.platform}-${process.arch}`) {
  const program = service === 'tools' ? toolPrograms.backup.path : `services/${service}/dist/main.js`;
  if (!existsSync(join(root, program)))
    throw new Error(`There is no compiled service ${service}; run "npm run build" first.`);
  rmSync(out, { recursive: true, force: true });
  const { folders, links } = reach(service);
  for (const [folder, name] of folders) copyPackage(folder, name, out, platform);
  for (const [owner, part] of sharedFiles[service] ?? []) copyPart(join(root, owner), part, join(out, owner));
  for (const [link, folder] of links) {
    const target = join(out, relative(root, link));
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(relative(dirname(link), folder), target);
  }
  writeFileSync(
    join(out, 'package.json'),
    `${JSON.stringify({ name: `ragmesh-${service}`, private: true, type: 'module' })}\n`,
  );
  if (service === 'tools') for (const file of toolFiles()) place(file, join(out, relative(root, file)));
  writeFileSync(join(out, 'main.js'), service === 'tools' ? toolsMain() : `import './${program}';\n`);
  return [...folders.values()].toSorted();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string' }, platform: { type: 'string' } },
  });
  if (positionals.length !== 1 || !values.out) {
    console.error('node tools/service-image.mjs <service> --out FOLDER [--platform linux-x64]');
    process.exit(2);
  }
  const packages = buildServiceTree(positionals[0], values.out, values.platform);
  console.log(`${positionals[0]}: ${packages.length} packages in ${values.out}`);
}
