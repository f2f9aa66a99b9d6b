import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import type { EmbeddedStore } from '../src/adapters/embedded-store.js';
import { embeddedBatches, vectorOf } from './document.builder.js';
import { failOneInsert } from './fail-one-insert.js';
import { storeSuite } from './store-suite.js';
import { VectorMesh } from './vector-mesh.js';

const indexOf = (mesh: VectorMesh, collection: string) =>
  (mesh.store as EmbeddedStore).open({ tenant: 'default', collection })!;

storeSuite('embedded', async () => ({
  lexicalAgreement: 1,
  lose(mesh, points) {
    const index = indexOf(mesh, 'lossy');
    let lost = 0;
    for (let n = 0; lost < points; n++) lost += index.removeVersion(`lost-${n}`, 1);
    return Promise.resolve(lost);
  },
  // Memory is made of the rows' own content: only what it shows of it can be wrong.
  spoil(mesh, documentId) {
    indexOf(mesh, 'spoilt').showVersion(documentId, 2);
    return Promise.resolve(1);
  },
  async addStray(mesh, documentId, stray) {
    const index = indexOf(mesh, 'spoilt');
    const [chunk] = index.chunks(documentId, 1, new Set([0]));
    const copy = { ...chunk!, documentId: stray, pointId: randomUUID(), vector: vectorOf(chunk!.text) };
    await index.addPoints([copy]);
    return 1;
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
