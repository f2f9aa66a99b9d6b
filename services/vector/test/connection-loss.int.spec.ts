import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VectorMesh, eventually } from './vector-mesh.js';

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
    const update = async (n: number, version: number) => {
      await mesh.stage(document(n, version));
      await mesh.show(document(n, version));
    };
    const work = Promise.all(Array.from({ length: 8 }, (_, n) => update(n, 1).then(() => update(n, 2))));
    await Promise.race([work, new Promise((resolve) => setTimeout(resolve, 3_000))]);
    cutting = false;
    await Promise.all([cuts, work]);
    await eventually('memory holds what the rows hold', async () => {
      const hits = await mesh.lexical('puffin');
      return hits.length === 80 && hits.every(({ version }) => version === 2n);
    });
    expect(await mesh.count('')).toEqual({ points: 80, visible: 80 });
    expect(await mesh.dense('puffin')).toHaveLength(80);
  });
});
