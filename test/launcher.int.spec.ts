import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** Runs node, and gives how it ended and what it said. */
function node(...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 });
  return { status, said: stdout + stderr };
}

/** Runs a tool in a Node that says it is of this version. */
function asNode(version: string, tool: string, ...args: string[]): { status: number | null; said: string } {
  const script = `Object.defineProperty(process.versions, 'node', { value: '${version}' }); require('./tools/${tool}')`;
  // Without a script of its own, node leaves out the name of the program that `process.argv` begins with.
  return node('-e', `process.argv.splice(1, 0, '${tool}'); ${script}`, ...args);
}

const services = readdirSync('services').filter((name) => existsSync(join('services', name, 'src/main.ts')));

describe('the launcher', () => {
  it.each([
    ['npm start', 'start.cjs', []],
    ['npm test', 'test.cjs', []],
    ['npm run service', 'service.cjs', ['vector']],
  ])('tells a Node that is too old so in one sentence, at %s', (_command, tool, args) => {
    expect(asNode('16.20.0', tool, ...args)).toEqual({
      status: 1,
      said: 'ragmesh needs Node 18 or newer; this is 16.20.0.\n',
    });
  });

  it('names the services there are when one is asked for that is not', () => {
    const named = `Name one of: ${services.join(', ')}.\n`;
    expect(services).toEqual(expect.arrayContaining(['gateway', 'vector', 'mesh']));
    expect(node('tools/service.cjs', 'nonsense')).toEqual({
      status: 1,
      said: `There is no service nonsense. ${named}`,
    });
    expect(node('tools/service.cjs')).toEqual({ status: 1, said: named });
  });
});

/** Stands in for npm: it says that it begins, removes what is there, and installs a Node and what vouches for it. */
const NPM = `const fs = require('fs');
fs.appendFileSync('installs', process.argv[2] + '\\n');
fs.rmSync('node_modules', { recursive: true, force: true });
setTimeout(() => {
  fs.mkdirSync('node_modules/node/bin', { recursive: true });
  fs.symlinkSync(process.execPath, 'node_modules/node/bin/node');
  fs.writeFileSync('node_modules/.package-lock.json', '{}');
}, 300);`;

describe('a checkout', () => {
  let folder: string;
  let checkout: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ragmesh-checkout-'));
    checkout = join(folder, 'checkout');
    cpSync('tools', join(checkout, 'tools'), { recursive: true });
    writeFileSync(join(checkout, 'package-lock.json'), '{}');
    writeFileSync(join(folder, 'npm.cjs'), NPM);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** A start, as far as the packages. */
  async function install(): Promise<number> {
    const env = { PATH: process.env['PATH'], npm_execpath: join(folder, 'npm.cjs') };
    const script = `require('${checkout}/tools/launcher.cjs').ensureInstalled()`;
    const [code] = await once(spawn(process.execPath, ['-e', script], { env, stdio: 'ignore' }), 'exit');
    return code as number;
  }
  const installs = (): string => readFileSync(join(checkout, 'installs'), 'utf8');
  const locks = (): string[] => readdirSync(join(checkout, '.cache'));

  it('gets its packages once when several first starts come at the same time', async () => {
    expect(await Promise.all([install(), install(), install()])).toEqual([0, 0, 0]);
    expect(installs()).toBe('ci\n');
    expect(await install()).toBe(0);
    expect(installs()).toBe('ci\n');
    expect(locks()).toEqual([]);
  });

  it('gets its packages once after a start that was killed while it installed them', async () => {
    mkdirSync(join(checkout, '.cache'));
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(join(checkout, '.cache', 'install.lock'), String(pid));
    expect(await Promise.all([install(), install()])).toEqual([0, 0]);
    expect(installs()).toBe('ci\n');
    expect(locks()).toEqual([]);
  });

  it('that is built is so at another path, too, and no longer once a source changed', () => {
    const source = (place: string): string => join(place, 'libs', 'one', 'src', 'index.ts');
    mkdirSync(join(checkout, 'libs', 'one', 'src'), { recursive: true });
    writeFileSync(source(checkout), 'export {};');
    const state = (place: string, ask: string): string =>
      node('-p', `const state = require('${place}/tools/build-state.cjs'); ${ask}`).said.trim();
    const isCurrent = (place: string): string => state(place, 'state.isCurrent()');
    state(checkout, 'state.record(state.fingerprint())');
    const moved = join(folder, 'moved');
    renameSync(checkout, moved);
    expect(isCurrent(moved)).toBe('true');
    writeFileSync(source(moved), 'export { };');
    expect(isCurrent(moved)).toBe('false');
  });
});
