'use strict';
/** Whether the build is up to date, found out by looking at file times only: it runs before every start. */
const { createHash } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } = require('node:fs');
const { dirname, join, relative } = require('node:path');

const root = join(__dirname, '..');
const stateFile = join(root, '.cache', 'build-state');
const notInputs = new Set(['node_modules', 'dist', 'generated', 'results', 'test']);
/** Folders of programs, compiled into the root's `dist/`. */
const programs = ['bench', 'eval', 'backup', 'doctor'];
const trees = ['libs', 'services', 'proto', ...programs];
const singleFiles = ['.swcrc', 'package-lock.json', 'tools/build.mjs', 'tools/build-state.cjs'];

function addTree(folder, hash) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (notInputs.has(entry.name) || entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) addTree(path, hash);
    else if (/\.(ts|proto|prisma|yaml|json)$/.test(entry.name)) addFile(path, hash);
  }
}

/** By its path in the checkout, which is the same build wherever it is mounted or moved to. */
function addFile(path, hash) {
  const { mtimeMs, size } = statSync(path);
  hash.update(`${relative(root, path)}\0${mtimeMs}\0${size}\n`);
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const tree of trees) if (existsSync(join(root, tree))) addTree(join(root, tree), hash);
  for (const file of singleFiles) if (existsSync(join(root, file))) addFile(join(root, file), hash);
  return hash.digest('hex');
}

const isCurrent = () => existsSync(stateFile) && readFileSync(stateFile, 'utf8') === fingerprint();

/** @param built the fingerprint taken before the build began: what changed during it is built next time. */
function record(built) {
  mkdirSync(dirname(stateFile), { recursive: true });
  writeFileSync(stateFile, built);
}

module.exports = { fingerprint, isCurrent, programs, record };
