import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import type { EncodedEvent } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import { embeddedBatches } from './document.builder.js';
import { VectorMesh } from './vector-mesh.js';

/** What was cut is tried again, and each attempt may wait twice as long as the one before: the eighth up to 32 s. */
const WITHIN_MS = 120_000;

describe('an index whose database cuts its connections', () => {
  let mesh: VectorMesh;
  beforeAll(async () => {
    mesh = await VectorMesh.start();
  });
  afterAll(() => mesh.stop());

  it('ends up with what was committed, in memory as in the rows', async () => {
    let cutting = true;
    const cuts = (async () => {
      while (cutting) {
        await mesh.cutConnections();
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    })();
    const document = (n: number, version: number) => ({
      ...{ id: `cut-${n}`, version, batchSize: 4 },
      texts: Array.from({ length: 10 }, (_, part) => `puffin ${n} of ${version} part ${part}`),
    });
    const answered = async (...events: EncodedEvent[]) => {
      const sent = mesh.send(...events).catch(() => undefined); // it waits for less long
      const isAnswered = (event: EncodedEvent) => mesh.answersTo(event).length > 0;
      await eventually('each is answered', () => events.every(isAnswered), WITHIN_MS);
      await sent;
    };
    const update = async (n: number, version: number) => {
      const batches = embeddedBatches(document(n, version));
      await answered(...batches.map((batch) => mesh.event(catalogue.chunksEmbedded, batch)));
      const { documentId, collection } = batches[0]!;
      const shown = { documentId, collection, version: BigInt(version), expectedPoints: 10n };
      await answered(mesh.event(catalogue.showVersion, shown));
    };
    const work = Promise.all(Array.from({ length: 8 }, (_, n) => update(n, 1).then(() => update(n, 2))));
    await Promise.race([work, new Promise((resolve) => setTimeout(resolve, 3_000))]);
    cutting = false;
    await Promise.all([cuts, work]);
    const isWhole = async () => {
      const hits = await mesh.lexical('puffin');
      return hits.length === 80 && hits.every(({ version }) => version === 2n);
    };
    await eventually('memory holds what the rows hold', isWhole, WITHIN_MS);
    expect(await mesh.count('')).toEqual({ points: 80, visible: 80 });
    expect(await mesh.dense('puffin')).toHaveLength(80);
  });
});
