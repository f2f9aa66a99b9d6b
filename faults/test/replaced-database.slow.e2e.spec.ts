import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { serviceNames } from '@ragmesh/contracts';
import { FaultProxy, describeWithServer } from '@ragmesh/testing';
import { allReady, uploadDuring } from './database-outage.js';
import { startEightOnServers, type EightOnServers } from './eight-on-servers.js';
import { violationsAfterCollection } from './kept-promises.js';

describeWithServer('kafka', 'a database that is gone without a word and replaced under its address', () => {
  let eight: EightOnServers;
  let successor: FaultProxy | undefined;
  beforeAll(async () => void (eight = await startEightOnServers({ kafka: true })), 240_000);
  afterAll(async () => {
    await eight?.close();
    await successor?.close();
  });
  const pids = () => serviceNames.map((name) => eight.mesh.supervisor.service(name).pid);

  it('means 503 until its silence is noticed; all recover by themselves and nothing is lost', async () => {
    const before = pids();
    const { postgres, postgresLine } = eight.servers;
    const { accepted, odd } = await uploadDuring(eight.api, 'replaced', async () => {
      await postgresLine.set({ blackHole: true, refuse: true });
      const { searchParams } = new URL(postgres.url('postgres'));
      successor = await FaultProxy.start({ target: Number(searchParams.get('port')), port: postgresLine.port });
    });
    expect(odd).toEqual([]);
    await allReady(eight.api, accepted);
    expect(await violationsAfterCollection(eight.oracle)).toEqual([]);
    expect(pids()).toEqual(before);
  }, 300_000);
});
