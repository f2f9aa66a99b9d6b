import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaServer } from '@ragmesh/local-servers';
import { describeWithServer } from '../../testing/src/required-server.js';

const accepts = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [host, port] = address.split(':');
    const socket = connect(Number(port), host);
    socket.once('connect', () => (resolve(true), socket.destroy())).once('error', () => undefined);
    socket.once('close', () => resolve(false)).setTimeout(5_000, () => socket.destroy());
  });

describeWithServer('kafka', 'KafkaServer', () => {
  let dataDir: string;
  beforeEach(async () => void (dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-local-kafka-'))));
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('serves on loopback, and comes back with its address after it was killed', async () => {
    const kafka = await KafkaServer.start({ dataDir, sasl: { username: 'user', password: 'word' } });
    const [broker] = kafka.nodes;
    expect(kafka.brokers).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
    expect(await Promise.all([...kafka.brokers, ...kafka.saslBrokers].map(accepts))).toEqual([true, true]);
    const pid = broker!.pid!;
    await broker!.kill();
    expect(await accepts(broker!.address)).toBe(false);
    await broker!.start();
    expect(broker!.pid).not.toBe(pid);
    expect(await accepts(broker!.address)).toBe(true);
    await kafka.stop();
    expect(broker!.isRunning).toBe(false);
  });

  it('opens its data folder again, also when a broker outlived its parent', async () => {
    const first = await KafkaServer.start({ dataDir });
    const orphan = first.nodes[0]!.pid!;
    const id = await readFile(join(dataDir, 'cluster-id'), 'utf8');
    const second = await KafkaServer.start({ dataDir });
    expect(first.nodes[0]!.isRunning && first.nodes[0]!.pid === orphan).toBe(false);
    expect(await readFile(join(dataDir, 'cluster-id'), 'utf8')).toBe(id);
    expect(await accepts(second.brokers[0]!)).toBe(true);
    await second.stop();
  });

  it('says what is missing when it cannot start', async () => {
    await expect(KafkaServer.start({ dataDir, jars: join(dataDir, 'no-jars') })).rejects.toMatchObject({
      code: 'DEPENDENCY.UNAVAILABLE',
    });
  });
});
