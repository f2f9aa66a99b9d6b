import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:net';
import { freePorts } from '../src/free-ports.js';

const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => servers.forEach((server) => server.close()));

describe('free ports', () => {
  it('can be listened on', async () => {
    for (const port of await freePorts(3)) {
      const server = createServer();
      servers.push(server);
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    }
  });

  it('are given to nobody twice while who got them lives, listened on or not', async () => {
    const mine = new Set(await freePorts(400));
    const module = new URL('../dist/free-ports.js', import.meta.url).href;
    const code = `const { freePorts } = await import('${module}'); console.log(JSON.stringify(await freePorts(400)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code]);
    expect((JSON.parse(stdout) as number[]).filter((port) => mine.has(port))).toEqual([]);
    expect((await freePorts(200)).filter((port) => mine.has(port))).toEqual([]);
  });
});
