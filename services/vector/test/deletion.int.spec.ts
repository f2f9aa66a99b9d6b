import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { embeddedBatches } from './document.builder.js';
import { VectorMesh } from './vector-mesh.js';

describe('deletion from the index', () => {
  let mesh: VectorMesh;
  beforeAll(async () => {
    mesh = await VectorMesh.start();
  });
  afterAll(() => mesh.stop());

  it('removes every version, proves it by a count, and lets nothing late come back', async () => {
    const document = (version: number) => ({ id: 'deleted', version, texts: ['alpha zebra', 'beta zebra'] });
    await mesh.stage(document(1));
    await mesh.show(document(1));
    await mesh.stage(document(2));
    const answer = await mesh.removeDocument('deleted', 2);
    expect(answer).toMatchObject({
      type: 'vector.deleted',
      payload: { version: 0n, pointsRemoved: 4n, remaining: 0n },
    });
    expect(await mesh.lexical('zebra')).toEqual([]);
    const late = [1, 2].map((version) => mesh.event(catalogue.chunksEmbedded, embeddedBatches(document(version))[0]!));
    const show = mesh.event(catalogue.showVersion, {
      documentId: 'deleted',
      version: 2n,
      collection: 'default',
      expectedPoints: 2n,
    });
    await mesh.send(...late, show);
    expect([...late, show].flatMap((event) => mesh.answersTo(event))).toEqual([]);
    expect(await mesh.count('deleted')).toEqual({ points: 0, visible: 0 });
  });

  it('knows the dead versions by itself when the command names none', async () => {
    const document = { id: 'unnamed', version: 3, texts: ['gamma yak'] };
    const [batch] = await mesh.stage(document);
    expect((await mesh.removeDocument('unnamed', 0)).payload).toMatchObject({ pointsRemoved: 1n, remaining: 0n });
    const late = mesh.event(catalogue.chunksEmbedded, embeddedBatches(document)[0]!);
    await mesh.send(batch!, late);
    expect(mesh.answersTo(late)).toEqual([]);
    expect(await mesh.count('unnamed')).toEqual({ points: 0, visible: 0 });
  });

  it('keeps out batches of a document that was deleted before its first one came', async () => {
    expect((await mesh.removeDocument('early', 1)).payload).toMatchObject({ pointsRemoved: 0n, remaining: 0n });
    const late = mesh.event(catalogue.chunksEmbedded, embeddedBatches({ id: 'early', texts: ['delta xerus'] })[0]!);
    await mesh.send(late);
    expect(await mesh.count('early')).toEqual({ points: 0, visible: 0 });
  });

  it('takes in a document created anew under the same id, also in another collection', async () => {
    const document = (version: number, collection: string) => ({
      id: 'reborn',
      version,
      collection,
      texts: [`wombat v${version}`],
    });
    await mesh.stage(document(1, 'default'));
    await mesh.show(document(1, 'default'));
    await mesh.removeDocument('reborn', 1);
    await mesh.stage(document(2, 'other'));
    await mesh.show(document(2, 'other'));
    expect(await mesh.lexical('wombat')).toEqual([]);
    expect((await mesh.lexical('wombat', { collection: 'other' })).map(({ text }) => text)).toEqual(['wombat v2']);
    expect((await mesh.removeDocument('reborn', 1)).payload).toMatchObject({ pointsRemoved: 0n, remaining: 0n });
    expect(await mesh.lexical('wombat', { collection: 'other' })).toHaveLength(1);
  });

  it('refuses to move a living document to another collection', async () => {
    await mesh.stage({ id: 'settled', texts: ['vole'] });
    const moved = mesh.event(
      catalogue.chunksEmbedded,
      embeddedBatches({ id: 'settled', version: 2, collection: 'elsewhere', texts: ['vole'] })[0]!,
    );
    await mesh.send(moved);
    expect((await mesh.answerTo(moved)).payload).toMatchObject({ code: 'EVENT.INVALID' });
  });
});
