import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

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
