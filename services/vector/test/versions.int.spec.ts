import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { embeddedBatches } from './document.builder.js';
import { VectorMesh } from './vector-mesh.js';

/** Another copy of the command shows the version between the two transactions that undo it. */
const SHOW_WHAT_IS_KILLED = `
  CREATE FUNCTION show_killed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.visible_version := NEW.dead_version;
    RETURN NEW;
  END $$;
  CREATE TRIGGER show_killed BEFORE UPDATE ON document_index FOR EACH ROW
    WHEN (OLD.document_id = 'raced' AND NEW.dead_version > OLD.dead_version) EXECUTE FUNCTION show_killed()`;

describe('versions of a document in the index', () => {
  let mesh: VectorMesh;
  beforeAll(async () => {
    mesh = await VectorMesh.start();
  });
  afterAll(() => mesh.stop());

  it('keeps a staged version from readers until it is shown', async () => {
    const document = { id: 'staged', texts: ['alpha zebra', 'beta zebra', 'gamma zebra'], batchSize: 2 };
    const [first] = await mesh.stage(document);
    expect((await mesh.answerTo(first!)).payload).toMatchObject({
      documentId: 'staged',
      version: 1n,
      batch: 0,
      batches: 2,
      points: 2,
    });
    expect(await mesh.lexical('zebra')).toEqual([]);
    expect(await mesh.dense('alpha zebra')).toEqual([]);
    expect(await mesh.count('staged')).toEqual({ points: 3, visible: 0 });
    expect((await mesh.show(document)).payload).toMatchObject({ pointsVisible: 3n, pointsRemoved: 0n });
    const [best] = await mesh.dense('beta zebra', { topK: 1 });
    expect(best).toMatchObject({
      chunkId: 'staged:1:1',
      version: 1n,
      text: 'beta zebra',
      start: 10,
      end: 20,
      page: 1,
      heading: 'Heading',
    });
    expect(best!.score).toBeCloseTo(1, 5);
    expect((await mesh.lexical('gamma')).map(({ chunkId }) => chunkId)).toEqual(['staged:1:2']);
    expect(await mesh.count('staged')).toEqual({ points: 3, visible: 3 });
  });

  it('never shows a part of a version', async () => {
    const document = { id: 'partial', texts: ['delta walrus', 'epsilon walrus'] };
    await mesh.stage(document);
    const answer = await mesh.show({ ...document, texts: [...document.texts, 'missing'] });
    expect(answer).toMatchObject({
      type: 'error.occurred',
      payload: { code: 'EVENT.INVALID', handler: 'vector.show-version' },
    });
    expect(await mesh.lexical('walrus')).toEqual([]);
  });

  it('changes over in one instant: a reader finds every chunk of one version, at any time', async () => {
    const document = (version: number) => ({
      id: 'flipping',
      version,
      texts: Array.from({ length: 30 }, (_, n) => `otter ${version} part ${n}`),
      batchSize: 8,
    });
    await mesh.stage(document(1));
    await mesh.show(document(1));
    let [reading, reads] = [true, 0];
    const faults: string[] = [];
    const reader = (async () => {
      while (reading) {
        for (const hits of await Promise.all([mesh.lexical('otter'), mesh.dense('otter')])) {
          const ours = hits.filter(({ documentId }) => documentId === 'flipping');
          const versions = new Set(ours.map(({ version }) => version));
          if (versions.size !== 1 || ours.length !== 30)
            faults.push(`${ours.length} chunks of versions ${[...versions].join()}`);
          reads++;
        }
      }
    })();
    for (let version = 2; version <= 21; version++) {
      await mesh.stage(document(version));
      expect((await mesh.show(document(version))).payload).toMatchObject({ pointsVisible: 30n, pointsRemoved: 30n });
    }
    reading = false;
    await reader;
    expect(faults).toEqual([]);
    expect(reads).toBeGreaterThan(40);
    expect(await mesh.count('flipping')).toEqual({ points: 30, visible: 30 });
  });

  it('passes over a version older than the shown one, and answers whoever asks to show it', async () => {
    const document = (version: number) => ({ id: 'superseded', version, texts: [`heron v${version}`] });
    await mesh.stage(document(1));
    await mesh.stage(document(2));
    await mesh.show(document(2));
    const show = mesh.event(catalogue.showVersion, {
      documentId: 'superseded',
      version: 1n,
      collection: 'default',
      expectedPoints: 1n,
    });
    const late = mesh.event(catalogue.chunksEmbedded, embeddedBatches(document(1))[0]!);
    await mesh.send(show, late);
    expect(await mesh.answerTo(show)).toMatchObject({
      type: 'vector.updated',
      payload: { version: 1n, pointsRemoved: 0n },
    });
    expect(mesh.answersTo(late)).toEqual([]);
    expect((await mesh.lexical('heron')).map(({ text }) => text)).toEqual(['heron v2']);
    expect(await mesh.count('superseded')).toEqual({ points: 1, visible: 1 });
  });

  it('undoes a staged version, leaves the shown one, and takes late chunks of it for dead', async () => {
    const document = (version: number) => ({
      id: 'undone',
      version,
      texts: [`ibex v${version}`, `ibex also v${version}`],
    });
    await mesh.stage(document(1));
    await mesh.show(document(1));
    await mesh.stage(document(2));
    const undo = mesh.event(catalogue.removeVersion, { documentId: 'undone', version: 2n, collection: 'default' });
    await mesh.send(undo);
    expect((await mesh.answerTo(undo)).payload).toMatchObject({ version: 2n, pointsRemoved: 2n, remaining: 0n });
    expect((await mesh.lexical('ibex')).map(({ version }) => version)).toEqual([1n, 1n]);
    const late = mesh.event(catalogue.chunksEmbedded, embeddedBatches(document(2))[0]!);
    await mesh.send(late);
    expect(mesh.answersTo(late)).toEqual([]);
    expect((await mesh.show(document(1))).payload).toMatchObject({ version: 1n, pointsVisible: 2n }); // again
    expect(await mesh.count('undone')).toEqual({ points: 2, visible: 2 });
  });

  describe('with a newer one that is undone', () => {
    const document = (id: string, version: number) => ({
      id,
      version,
      texts: [`${id} v${version}`, `also v${version}`],
    });
    const undo = async (documentId: string, version: bigint) => {
      const event = mesh.event(catalogue.removeVersion, { documentId, version, collection: 'default' });
      await mesh.send(event);
      return mesh.answerTo(event);
    };

    it('is shown yet when it is complete: nobody called it off', async () => {
      await mesh.stage(document('oryx', 1));
      await mesh.stage(document('oryx', 2));
      expect(await undo('oryx', 2n)).toMatchObject({ type: 'vector.deleted', payload: { pointsRemoved: 2n } });
      expect(await mesh.show(document('oryx', 1))).toMatchObject({
        type: 'vector.updated',
        payload: { pointsVisible: 2n },
      });
      expect((await mesh.lexical('oryx')).map(({ text }) => text)).toEqual(['oryx v1']);
      expect(await mesh.show(document('oryx', 2))).toMatchObject({ type: 'vector.deleted', payload: { version: 2n } });
      expect(await mesh.count('oryx')).toEqual({ points: 2, visible: 2 });
    });

    it('is not shown once it was undone itself, or its document deleted', async () => {
      await mesh.stage(document('kudu', 1));
      await undo('kudu', 2n);
      await undo('kudu', 1n);
      expect(await mesh.show(document('kudu', 1))).toMatchObject({ type: 'vector.deleted' });
      await mesh.stage(document('eland', 1));
      // A deletion whose tombstone is set and whose points are still there.
      await mesh.database.query(
        `UPDATE document_index SET dead_version = 2, tombstoned_at = now() WHERE document_id = 'eland'`,
      );
      expect(await mesh.show(document('eland', 1))).toMatchObject({ type: 'vector.deleted' });
      expect([...(await mesh.lexical('kudu')), ...(await mesh.lexical('eland'))]).toEqual([]);
    });
  });

  it('leaves the version readers see when it is asked to undo it, and says that they see it', async () => {
    const document = (version: number) => ({ id: 'seen', version, texts: [`serval v${version}`] });
    await mesh.stage(document(1));
    await mesh.show(document(1));
    await mesh.stage(document(2));
    await mesh.show(document(2));
    const undo = mesh.event(catalogue.removeVersion, { documentId: 'seen', version: 2n, collection: 'default' });
    await mesh.send(undo);
    expect(await mesh.answerTo(undo)).toMatchObject({ type: 'vector.updated', payload: { version: 2n } });
    expect((await mesh.lexical('serval')).map(({ text }) => text)).toEqual(['serval v2']);
    expect((await mesh.removeDocument('seen', 2)).payload).toMatchObject({ pointsRemoved: 1n, remaining: 0n });
  });

  it('leaves also a version that is shown just as it is undone', async () => {
    const document = { id: 'raced', texts: ['okapi'] };
    await mesh.stage(document);
    await mesh.database.pool.query(SHOW_WHAT_IS_KILLED);
    const undo = mesh.event(catalogue.removeVersion, { documentId: 'raced', version: 1n, collection: 'default' });
    await mesh.send(undo);
    expect(await mesh.answerTo(undo)).toMatchObject({ type: 'vector.updated', payload: { version: 1n } });
    expect(await mesh.count('raced')).toEqual({ points: 1, visible: 1 });
  });

  it('does nothing twice when each event comes three times', async () => {
    const document = (version: number) => ({ id: 'repeated', version, texts: ['lynx a', 'lynx b'] });
    await mesh.stage(document(1));
    await mesh.show(document(1));
    const batch = mesh.event(catalogue.chunksEmbedded, embeddedBatches(document(2))[0]!);
    const show = mesh.event(catalogue.showVersion, {
      documentId: 'repeated',
      version: 2n,
      collection: 'default',
      expectedPoints: 2n,
    });
    const remove = mesh.event(catalogue.removeDocument, { documentId: 'repeated', collection: 'default', version: 2n });
    for (const event of [batch, show, remove]) {
      await mesh.send(event, event, event);
      await mesh.answerTo(event);
    }
    await mesh.send(batch, show, remove);
    expect(mesh.answersTo(batch)).toHaveLength(1);
    expect(mesh.answersTo(show).map(({ payload }) => payload)).toMatchObject([
      { pointsVisible: 2n, pointsRemoved: 2n },
    ]);
    expect(mesh.answersTo(remove).map(({ payload }) => payload)).toMatchObject([{ pointsRemoved: 2n, remaining: 0n }]);
    expect(await mesh.lexical('lynx')).toEqual([]);
  });

  it('answers a second command of the same content like the first', async () => {
    const document = { id: 'again', texts: ['marten'] };
    await mesh.stage(document);
    await mesh.show(document);
    await mesh.stage(document);
    expect((await mesh.show(document)).payload).toMatchObject({ pointsVisible: 1n, pointsRemoved: 0n });
    expect(await mesh.lexical('marten')).toHaveLength(1);
    // Readers see a generation by now that cuts it otherwise than the command says.
    const asked = await mesh.show({ ...document, texts: ['mar', 'ten'] });
    expect(asked).toMatchObject({ type: 'vector.updated', payload: { pointsVisible: 1n } });
  });
});
