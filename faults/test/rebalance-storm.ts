import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeWithServer, seeded } from '@ragmesh/testing';
import type { ServiceCopy } from '../../services/mesh/test/service-copy.js';
import { CopiedMesh } from './copied-mesh.js';

const COPIES = 4;

function storm(kafka: boolean, seconds: number): void {
  let mesh: CopiedMesh;
  beforeAll(async () => {
    mesh = await CopiedMesh.start({ kafka, copies: COPIES });
    for (const service of ['model', 'vector', 'document', 'knowledge', 'generation', 'retrieval', 'gateway'] as const)
      await mesh.start(service);
  }, 240_000);
  afterAll(() => mesh?.close());

  it(`does everything once while ${COPIES} copies join, leave and die for ${seconds} s`, async () => {
    const random = seeded(16);
    const copies = new Array<ServiceCopy | undefined>(COPIES).fill(undefined);
    const ids: string[] = [];
    const end = performance.now() + seconds * 1000;
    const upload = async (): Promise<void> => {
      while (performance.now() < end) {
        const { status, body } = await mesh.api.upload({ text: `Document ${ids.length} in the storm. `.repeat(100) });
        expect(status).toBe(202);
        ids.push(String(body['id']));
        await delay(200);
      }
    };
    const uploading = upload();
    let changes = 0;
    while (performance.now() < end) {
      const number = Math.floor(random() * COPIES);
      const copy = copies[number];
      if (copy) await mesh.end(copy, random() < 0.5 ? 'SIGTERM' : 'SIGKILL');
      copies[number] = copy ? undefined : await mesh.start('embedding', number);
      changes += 1;
      await delay(random() * 1_500);
    }
    await uploading;
    if (!copies.some(Boolean)) copies[0] = await mesh.start('embedding', 0);
    expect(changes).toBeGreaterThan(3);
    for (const id of ids) expect((await mesh.api.terminal(id, 120_000)).status).toBe('ready');
    expect(await mesh.servers.oracle.violations()).toEqual([]);
    const { body } = await mesh.api.call('GET', '/v1/admin/dead-letters');
    expect(body['data']).toEqual([]);
  }, 300_000);
}

/** Copies of one service that come and go for so long while documents come in. */
export function rebalanceStorm(seconds: number): void {
  describe('a storm of rebalances, over tables', () => storm(false, seconds));
  describeWithServer('kafka', 'a storm of rebalances, over Kafka', () => storm(true, seconds));
}
