import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { withinAttempts } from '@ragmesh/testing';
import { embeddedBatches } from './document.builder.js';
import { VectorMesh } from './vector-mesh.js';

/** A statement that removes more rows at once than a slow server gets through in the time it has, fails. */
const LIMIT_REMOVALS = `
  CREATE FUNCTION limit_removal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT count(*) FROM gone) > 5000 THEN RAISE EXCEPTION 'it takes too long'; END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER limit_removal AFTER DELETE ON point REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION limit_removal();
  CREATE TRIGGER limit_removal AFTER DELETE ON generation_document REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION limit_removal()`;

/** The removal of the point with ordinal 5500 fails once; sequences do not roll back. */
const FAIL_ONE_REMOVAL = `
  CREATE SEQUENCE one_failure;
  CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.ordinal = 5500 AND nextval('one_failure') = 1 THEN RAISE EXCEPTION 'interrupted'; END IF;
    RETURN OLD;
  END $$;
  CREATE TRIGGER fail_once BEFORE DELETE ON point FOR EACH ROW EXECUTE FUNCTION fail_once()`;

/** Gives a document that has one point as many more, in a generation. */
const LENGTHEN = `
  INSERT INTO point (tenant, collection, document_id, version, ordinal, start_offset, end_offset, point_id, model, metadata,
    text, vector, generation, hash)
  SELECT tenant, collection, document_id, version, n, start_offset, end_offset, gen_random_uuid(), model, metadata,
    text, vector, $2, hash FROM point, generate_series(1, $3::int) AS n WHERE document_id = $1`;

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
    expect(late.flatMap((event) => mesh.answersTo(event))).toEqual([]);
    expect(await mesh.answerTo(show)).toMatchObject({
      type: 'vector.deleted',
      payload: { version: 2n, remaining: 0n },
    });
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

  it('leaves one created anew alone when it is told late, though a newer update was undone meanwhile', async () => {
    const document = (version: number) => ({ id: 'reborn-late', version, texts: [`numbat v${version}`] });
    await mesh.stage(document(1));
    await mesh.show(document(1));
    await mesh.removeDocument('reborn-late', 1);
    await mesh.stage(document(2));
    expect((await mesh.removeDocument('reborn-late', 1)).payload).toMatchObject({ pointsRemoved: 0n, deadVersion: 1n });
    await mesh.show(document(2));
    await mesh.stage(document(3));
    const undo = mesh.event(catalogue.removeVersion, { documentId: 'reborn-late', version: 3n, collection: 'default' });
    await mesh.send(undo);
    await mesh.answerTo(undo);
    expect((await mesh.removeDocument('reborn-late', 1)).payload).toMatchObject({ pointsRemoved: 0n, remaining: 0n });
    expect((await mesh.lexical('numbat')).map(({ text }) => text)).toEqual(['numbat v2']);
    expect((await mesh.removeDocument('reborn-late', 3)).payload).toMatchObject({ pointsRemoved: 1n, remaining: 0n });
    expect(await mesh.lexical('numbat')).toEqual([]);
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

  describe('of more than one statement gets through', () => {
    beforeAll(() => mesh.database.pool.query(LIMIT_REMOVALS));

    it('removes a document of any length', async () => {
      await mesh.stage({ id: 'long', texts: ['genet'] });
      await mesh.database.query(LENGTHEN, ['long', 0, 11_000]);
      const answer = await mesh.removeDocument('long', 1);
      expect(answer.payload).toMatchObject({ pointsRemoved: 11_001n, remaining: 0n });
    });

    it('removes a generation without holding the event loop up', async () => {
      const text = Array.from({ length: 300 }, (_, n) => `linsang${n}`).join(' ');
      const script = fileURLToPath(new URL('drop-in-turns.mjs', import.meta.url));
      const drop = async (number: number): Promise<number> => {
        const name = `dropped-${number}`;
        await mesh.stage({ id: name, collection: name, texts: [text] });
        await mesh.database.query(LENGTHEN, [name, 1, 6_000]);
        const answer = execFileSync(process.execPath, [script, mesh.databaseUrl, name], { encoding: 'utf8' });
        const { longest, before, after } = JSON.parse(answer) as Record<string, number>;
        expect([before, after]).toEqual([6_001, 1]);
        return longest!;
      };
      expect(await withinAttempts(3, drop, (longest) => longest < 20)).toBeLessThan(20);
    });

    it('removes a generation of any size, and goes on after an interruption', async () => {
      const generation = { collection: 'large', generation: 1 };
      const document = { id: 'large', collection: 'large', texts: ['civet'] };
      const drop = () => mesh.as('default', () => mesh.client.dropGeneration(generation));
      await mesh.stage(document);
      await mesh.show(document);
      await mesh.as('default', () => mesh.client.openGeneration(generation));
      await mesh.database.query(LENGTHEN, ['large', 1, 6_000]);
      await mesh.database.query(`
        INSERT INTO generation_document SELECT 'default', 'large', 1, 'large-' || n, 1, '{}', true
        FROM generate_series(1, 6000) AS n`);
      expect(await mesh.reconciler.reconcile()).toMatchObject({ missing: 6_000 }); // now memory has them, too
      await mesh.database.pool.query(FAIL_ONE_REMOVAL);
      await expect(drop()).rejects.toThrow();
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
      await drop();
      const rest = `SELECT (SELECT count(*) FROM point WHERE collection = 'large') AS points,
        (SELECT count(*) FROM generation_document) AS documents`;
      expect((await mesh.database.query(rest)).rows).toEqual([{ points: 1, documents: 0 }]);
      expect(await mesh.store.count({ tenant: 'default', collection: 'large', documentId: 'large' }, 0)).toBe(1);
      expect(await mesh.lexical('civet', { collection: 'large' })).toHaveLength(1);
    });
  });
});
