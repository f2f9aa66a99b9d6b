import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { RedisServer } from '@ragmesh/local-servers';
import { describeWithServer } from '@ragmesh/testing';
import { found, gatewayAt } from './situation-for.js';

const open: Server[] = [];
afterEach(() => open.splice(0).forEach((server) => server.close()));

/** Something that takes connections. @returns its address. */
async function listen(take: (client: Socket) => void): Promise<string> {
  const server = createServer((client) => take(client.on('error', () => undefined)));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the doctor finds', () => {
  it('a port whose program takes connections and says nothing, which may be an edge that hangs', async () => {
    const address = await listen((client) => client.once('data', () => client.destroy()));
    const [finding, ...others] = await found('port', {}, { gateway: gatewayAt(`http://${address}`) });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ level: 'fault', what: expect.stringMatching(/takes connections and gives no/) });
    expect(finding!.mend).toContain('deploy/runbooks/RagmeshEventLoopBlocked.md');
  });

  it('brokers that fail for another reason than rights, and asks for no rights', async () => {
    const UNSUPPORTED_VERSION = 35;
    const address = await listen((client) =>
      client.on('data', (request) => {
        const answer = Buffer.alloc(10);
        answer.writeInt32BE(6, 0);
        request.copy(answer, 4, 8, 12); // which request it answers
        answer.writeInt16BE(UNSUPPORTED_VERSION, 8);
        client.write(answer);
      }),
    );
    const mesh = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/', KAFKA_BROKERS: address };
    const [finding] = await found('kafka', mesh);
    expect(finding).toMatchObject({ level: 'fault', what: expect.stringMatching(/not as Kafka should/) });
    expect(finding!.mend).not.toContain('rights');
  });
});

describeWithServer('redis', 'the doctor finds nothing', () => {
  it('about a Redis that is busy for a moment', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-doctor-redis-'));
    const redis = await RedisServer.start({ dataDir });
    let delays = 0;
    const address = await listen((client) => {
      const server = connect(redis.port, '127.0.0.1').on('error', () => client.destroy());
      server.pipe(client);
      client.on('close', () => server.destroy());
      client.on('data', (command) => {
        if (delays > 0 || !/\beval/.test(String(command))) return server.write(command);
        delays += 1;
        client.pause();
        return setTimeout(() => server.write(command) && client.resume(), 150);
      });
    });
    expect(await found('redis', { REDIS_URL: `redis://${address}` })).toEqual([]);
    expect(delays).toBe(1);
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
});
