import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import type { EmbeddedStore } from '../src/adapters/embedded-store.js';
import { embeddedBatches } from './document.builder.js';
import { failOneInsert } from './fail-one-insert.js';
import { storeSuite } from './store-suite.js';
import { VectorMesh } from './vector-mesh.js';

const scope = { tenant: 'default', collection: 'lossy' };

storeSuite('embedded', async () => ({
  lexicalAgreement: 1,
  lose(mesh, points) {
    const index = (mesh.store as EmbeddedStore).open(scope)!;
    let lost = 0;
    for (let n = 0; lost < points; n++) lost += index.removeVersion(`lost-${n}`, 1);
    return Promise.resolve(lost);
  },
  breakNextBulk: (mesh) => failOneInsert(mesh.database, 'point'),
  stop: () => Promise.resolve(),
}));

describe('a cut-over whose commit was not answered', () => {
  let mesh: VectorMesh;
  beforeAll(async () => void (mesh = await VectorMesh.start()));
  afterAll(() => mesh.stop());

  it('is followed when it is asked for again, as the rows say what readers see', async () => {
    const generation = { collection: 'default', generation: 1 };
    const document = { id: 'd', texts: ['old heron'] };
    await mesh.stage(document);
    await mesh.show(document);
    await mesh.as('default', () => mesh.client.openGeneration(generation));
    const [batch] = embeddedBatches({ ...document, texts: ['new heron'] });
    await mesh.send(mesh.event(catalogue.chunksEmbedded, { ...batch!, generation: 1 }));
    // What the lost transaction left.
    await mesh.database.query('UPDATE index_generation SET live = (generation = 1)');
    expect((await mesh.lexical('heron')).map(({ text }) => text)).toEqual(['old heron']);
    await mesh.as('default', () => mesh.client.showGeneration(generation));
    expect((await mesh.lexical('heron')).map(({ text }) => text)).toEqual(['new heron']);
  });
});
