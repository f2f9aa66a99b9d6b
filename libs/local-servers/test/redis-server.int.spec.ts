import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { describeWithServer } from '@ragmesh/testing';
import { RedisServer } from '../src/redis-server.js';

let dataDir: string;
let server: RedisServer;
let client: Redis;

describeWithServer('redis', 'a Redis of our own', () => {
  beforeAll(async () => {
    dataDir = await mkdtemp(`${tmpdir()}/ragmesh-redis-`);
    server = await RedisServer.start({ dataDir, args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    client = new Redis(server.url, { retryStrategy: () => 20 }).on('error', () => undefined);
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('answers on the loopback interface only', async () => {
    expect(await client.ping()).toBe('PONG');
    expect(await client.config('GET', 'bind')).toEqual(['bind', '127.0.0.1']);
  });

  it('is back on its port after a crash, with what it persisted', async () => {
    await client.set('kept', 'yes');
    const { pid } = server;
    await server.kill();
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await client.get('kept')).toBe('yes');
  });

  it('is silent while frozen', async () => {
    server.pause();
    const answer = client.ping();
    const silent = new Promise((resolve) => setTimeout(resolve, 100, 'silent'));
    expect(await Promise.race([answer, silent])).toBe('silent');
    server.resume();
    expect(await answer).toBe('PONG');
  });

  it.each([
    ['this release', undefined],
    ['release 0.2.0', ({ pid, port }: RedisServer) => `${pid} ${port} ${2 ** 22 + 1}`],
  ])('ends the one that %s left behind in its folder', async (release, formerNote) => {
    const folder = `${dataDir}/left by ${release}`;
    const left = await RedisServer.start({ dataDir: folder });
    if (formerNote) await writeFile(`${folder}/redis.pid`, formerNote(left));
    const next = await RedisServer.start({ dataDir: folder });
    const old = new Redis(left.url, { retryStrategy: () => null }).on('error', () => undefined);
    await expect(old.ping()).rejects.toThrow();
    await next.stop();
  });

  it('leaves a folder alone whose server somebody else runs', async () => {
    const folder = `${dataDir}/theirs`;
    const theirs = await RedisServer.start({ dataDir: folder });
    const started = JSON.parse(await readFile(`${folder}/redis.pid`, 'utf8')) as object;
    const told = JSON.stringify({ ...started, owner: process.ppid });
    await writeFile(`${folder}/redis.pid`, told);
    await expect(RedisServer.start({ dataDir: folder })).rejects.toMatchObject({ code: 'CONFIG.DATA_DIR_IN_USE' });
    expect(await readFile(`${folder}/redis.pid`, 'utf8')).toBe(told);
    await theirs.stop();
  });

  it('says that it cannot start', async () => {
    const unable = RedisServer.start({ dataDir: `${dataDir}/unable`, args: ['--no-such-option', '1'] });
    await expect(unable).rejects.toThrow('ended with code');
  });
});
