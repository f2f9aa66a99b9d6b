import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue, embeddingV1, modelV1 } from '@ragmesh/contracts';
import { modelService } from '@ragmesh/service-model';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { embeddingService } from '../src/embedding.service.js';
import { writeTinyCrossEncoder } from './tiny-cross-encoder.js';

const consumer = 'embedding';
let mesh: ServiceMesh;
let own: string;
/** With its revision. */
let ownModel: string;

/** The vectors of an answer or event as they were before they travelled. */
function vectorsOf({ vectors, dimension }: { vectors: Uint8Array; dimension: number }): number[][] {
  const view = new DataView(vectors.buffer, vectors.byteOffset, vectors.byteLength);
  const values = Array.from({ length: vectors.byteLength / 4 }, (_, at) => view.getFloat32(at * 4, true));
  return Array.from({ length: values.length / dimension }, (_, at) =>
    values.slice(at * dimension, (at + 1) * dimension),
  );
}
const cosine = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
const embed = (...texts: string[]) => mesh.as('acme', () => mesh.client(embeddingV1.EmbeddingService).embed({ texts }));
const runModel = () => mesh.run(modelService, { RAGMESH_MODELS_DIR: own, MODEL_CACHE_DIR: join(own, '.hub') });
const embedWith = (model: string, ...texts: string[]) =>
  mesh.as('acme', () => mesh.client(embeddingV1.EmbeddingService).embed({ texts, model }));
const rerank = (query: string, ...passages: string[]) =>
  mesh.as('acme', () => mesh.client(embeddingV1.RerankService).rerank({ query, passages }));
const restart = async (environment: Record<string, string> = {}) => {
  await mesh.halt('embedding');
  await mesh.run(embeddingService, environment);
};
/** Callers notice within a moment that a service they lost is back; what it answers then is the answer. */
const answered = <T>(call: () => Promise<T>) =>
  eventually('it answers', () =>
    call().catch((error: { code?: string }) => (error.code === 'DEPENDENCY.UNAVAILABLE' ? undefined : { error })),
  );
const batchOf = (documentId: string, ...texts: string[]) => ({
  documentId,
  version: 2n,
  collection: 'notes',
  batch: 1,
  batches: 3,
  title: 'About trains',
  metadata: { lang: 'en' },
  chunks: texts.map((text, ordinal) => ({
    ordinal,
    text,
    start: ordinal * 10,
    end: ordinal * 10 + 5,
    page: 4,
    heading: 'A > B',
  })),
});
const embeddedOf = (documentId: string) =>
  mesh.eventsOf(catalogue.chunksEmbedded).filter(({ payload }) => payload.documentId === documentId);

beforeAll(async () => {
  mesh = await ServiceMesh.start(catalogue.chunksEmbedded.topic, catalogue.embeddingCompleted.topic);
  // The other way round, too: embedding must not need its model to start.
  await mesh.run(embeddingService);
  own = await mkdtemp(join(tmpdir(), 'ragmesh-own-models-'));
  await writeTinyCrossEncoder(join(own, 'tiny-judge'), { basel: 3, train: 1, ticket: -2 });
  await runModel();
});
afterAll(async () => {
  await mesh.stop();
  await rm(own, { recursive: true });
});

describe('embedding a question', () => {
  it('gives unit vectors in the order asked for, near to each other when the meaning is', async () => {
    const answer = await embed(
      'How do I reset my password?',
      'A train leaves the station.',
      'I forgot my login credentials.',
    );
    expect(answer).toMatchObject({ dimension: 384, model: expect.stringMatching(/^all-MiniLM-L6-v2@\w+$/) });
    ownModel = answer.model;
    const [question, train, login] = vectorsOf(answer) as [number[], number[], number[]];
    expect(cosine(question, question)).toBeCloseTo(1, 5);
    expect(cosine(question, login)).toBeGreaterThan(cosine(question, train) + 0.2);
  });

  it('answers the same question with the very same vector', async () => {
    const first = await embed('Which platform?');
    expect(await embed('Which platform?')).toEqual(first);
    expect(vectorsOf(await embed('Which platform?', 'Which platform?'))).toEqual([
      ...vectorsOf(first),
      ...vectorsOf(first),
    ]);
  });

  it('takes an empty text and one of a megabyte', async () => {
    const [empty, long] = vectorsOf(await embed('', 'station '.repeat(130_000)));
    expect(cosine(empty!, empty!)).toBeCloseTo(1, 5);
    expect(cosine(long!, long!)).toBeCloseTo(1, 5);
  });

  it('counts tokens, and takes the name of a model that is here', async () => {
    const answer = await embed('Which platform?');
    expect(answer.tokens).toBeGreaterThanOrEqual(4);
    expect(answer.tokens).toBeLessThan(8);
    expect(await embedWith(answer.model, 'Which platform?')).toEqual(answer);
    await expect(embedWith('unheard-of', 'Which?')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    await expect(embedWith('acme/on-the-hub', 'Which?')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
  });

  it('refuses no text and too many', async () => {
    await expect(embed()).rejects.toMatchObject({ code: 'REQUEST.INVALID', details: { field: 'texts', limit: 256 } });
    await expect(embed(...Array.from({ length: 257 }, String))).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
  });
});

describe('embedding a batch of chunks', () => {
  it('publishes the batch as it came with one vector per chunk, once however often it is delivered', async () => {
    const batch = batchOf('d1', 'The train to Basel leaves from platform five.', 'Tickets are sold at the counter.');
    await mesh.send(catalogue.documentChunked, batch, { tenant: 'acme', consumer, times: 3 });
    const [event] = await eventually('the vectors', () => (embeddedOf('d1').length > 0 ? embeddedOf('d1') : undefined));
    expect(event).toMatchObject({ tenant: 'acme', payload: batch });
    const [basel, tickets, ...rest] = vectorsOf(event!.payload);
    expect(rest).toEqual([]);
    const [question] = vectorsOf(await embed('Where does the train to Basel depart?'));
    expect(cosine(question!, basel!)).toBeGreaterThan(cosine(question!, tickets!));
    const second = await mesh.send(catalogue.documentChunked, batchOf('d2', 'Tickets are sold at the counter.'), {
      consumer,
    });
    await mesh.settled(consumer, second);
    await eventually('the second vectors', () => embeddedOf('d2').length > 0);
    expect(vectorsOf(embeddedOf('d2')[0]!.payload)).toEqual([tickets]);
    expect(embeddedOf('d1')).toHaveLength(1);
  });

  it('waits for the model service instead of giving up', async () => {
    await mesh.halt('embedding');
    await mesh.halt('model');
    await mesh.run(embeddingService);
    const id = await mesh.send(catalogue.documentChunked, batchOf('early', 'Sent before there is a model.'));
    const open = 'SELECT FROM inbox WHERE event_id = $1 AND finished_at IS NULL';
    await eventually('the batch is begun', async () => (await mesh.database(consumer).query(open, [id])).rowCount > 0);
    await runModel();
    await mesh.settled(consumer, id);
    await eventually('the vectors', () => embeddedOf('early').length > 0);
  });

  it('says at once that it is unavailable when its model does not exist', async () => {
    await restart({ EMBEDDING_MODEL: 'no-such-model' });
    const { error } = (await answered(() => embed('Hello'))) as { error: object };
    expect(error).toMatchObject({ code: 'EMBEDDING.UNAVAILABLE', details: { reason: 'MODEL.NOT_FOUND' } });
  });

  it('says how much memory it lacks', async () => {
    await restart({ EMBEDDING_MEMORY_BUDGET: '1mb' });
    const { error } = (await answered(() => embed('Hello'))) as { error: object };
    expect(error).toMatchObject({ code: 'EMBEDDING.UNAVAILABLE', details: { reason: 'MODEL.OVER_BUDGET' } });
    const named = { ...batchOf('no-room', 'A chunk.'), model: ownModel };
    const id = await mesh.send(catalogue.documentChunked, named);
    await eventually('the batch is put off', async () => {
      const { rows } = await mesh
        .database(consumer)
        .query<{ outcome: string | null; attempt: number }>('SELECT outcome, attempt FROM inbox WHERE event_id = $1', [
          id,
        ]);
      expect(rows.map(({ outcome }) => outcome)).not.toContain('dead-letter');
      return rows.some(({ attempt }) => attempt > 1);
    });
  });
});

describe('judging passages', () => {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

  it('reads question and passage together, in the order of the passages', async () => {
    await restart({ RERANK_MODEL: 'tiny-judge' });
    const ask = () => rerank('train', 'To Basel by train.', 'A ticket.', 'word '.repeat(500), '', 'basel');
    const answer = await eventually('the model is loaded', () => ask().catch(() => undefined));
    expect(answer.model).toBe('tiny-judge@r1');
    const expected = [sigmoid(4), sigmoid(-2), 0.5, 0.5, sigmoid(3)];
    answer.scores.forEach((score, at) => expect(score).toBeCloseTo(expected[at]!, 5));
    const [long] = (await rerank('why '.repeat(500), `basel ${'word '.repeat(500)}`)).scores;
    expect(long).toBeCloseTo(sigmoid(3), 5);
    await expect(rerank('train')).rejects.toMatchObject({ code: 'REQUEST.INVALID', details: { field: 'passages' } });
  });

  it('is refused without a cross-encoder', async () => {
    await restart();
    const { error } = (await answered(() => rerank('train', 'basel'))) as { error: object };
    expect(error).toMatchObject({ code: 'EMBEDDING.NO_RERANKER' });
    await restart({ RERANK_MODEL: 'all-MiniLM-L6-v2' });
    const refused = () =>
      rerank('train', 'basel').then(
        () => false,
        ({ code }: { code: string }) => code === 'EMBEDDING.NO_RERANKER',
      );
    await eventually('the wrong model is noticed', refused);
  });
});

describe('without its model', () => {
  it('embeds questions with the smaller model and says so, and lets chunks wait', async () => {
    await restart({ EMBEDDING_MODEL: 'no-such-model', EMBEDDING_FALLBACK_MODEL: 'all-MiniLM-L6-v2' });
    const answer = await eventually('it answers', () => embed('Where is platform five?').catch(() => undefined));
    expect(answer).toMatchObject({ dimension: 384, model: expect.stringMatching(/^all-MiniLM-L6-v2@/) });
    const request = { texts: ['Where is platform five?'], withoutFallback: true };
    const own = mesh.as('acme', () => mesh.client(embeddingV1.EmbeddingService).embed(request));
    await expect(own).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
    const id = await mesh.send(catalogue.documentChunked, batchOf('waits', 'A chunk.'), { tenant: 'acme' });
    const begun = 'SELECT FROM inbox WHERE event_id = $1 AND finished_at IS NULL AND attempt > 1';
    await eventually(
      'the batch was tried',
      async () => (await mesh.database(consumer).query(begun, [id])).rowCount > 0,
    );
    expect(embeddedOf('waits')).toEqual([]);
  });

  it('serves the vectors it kept, after an operator took the model from memory', async () => {
    const holders = async () => {
      const { rows } = await mesh
        .database('model')
        .query<{ holder: string }>("SELECT holder FROM resident WHERE model LIKE 'all-MiniLM%'");
      return rows.map(({ holder }) => holder);
    };
    const before = await holders();
    await restart();
    const kept = await eventually('it answers', () => embed('Which train did I ask about?').catch(() => undefined));
    const [holder] = await eventually('it is held', async () => {
      const added = (await holders()).filter((each) => !before.includes(each));
      return added.length > 0 ? added : undefined;
    });
    await mesh.as('acme', () => mesh.client(modelV1.ModelService).unloadModel({ name: 'all-MiniLM-L6-v2' }));
    await eventually('it is given up', async () => !(await holders()).includes(holder!));
    await mesh.halt('model');
    expect(await embed('Which train did I ask about?')).toMatchObject({ vectors: kept.vectors, model: kept.model });
    await runModel();
    expect((await eventually('it is loaded again', () => embed('Another one').catch(() => undefined))).model).toBe(
      kept.model,
    );
  });
});

describe('other backends', () => {
  it('asks a provider that speaks the OpenAI API, and tells once what it charged for a batch of chunks', async () => {
    const answerOfProvider = JSON.stringify({ data: [{ index: 0, embedding: [3, 4] }], usage: { total_tokens: 7 } });
    const server = createServer((request, response) => {
      request.resume().on('end', () => response.end(answerOfProvider));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await restart({ APP_EMBEDDINGS_BACKEND: 'openai', OPENAI_BASE_URL: `http://${host}/v1`, EMBEDDING_MODEL: 'small' });
    const answer = await eventually('it answers', () => embed('Hello').catch(() => undefined));
    expect(answer).toMatchObject({ dimension: 2, model: `small@${host}` });
    expect(vectorsOf(answer)[0]![0]).toBeCloseTo(0.6, 6);
    // A batch of an earlier test that waits may be embedded only now: it is another tenant's.
    const told = { tenant: 'charged', consumer, times: 2 };
    for (const id of ['charged', 'known'])
      await mesh.send(catalogue.documentChunked, batchOf(id, 'Platform nine has no clock.'), told);
    await mesh.send(catalogue.documentChunked, batchOf('last', 'Platform ten has one.'), told);
    const isTold = ({ tenant }: { tenant: string }) => tenant === 'charged';
    const charges = () => mesh.eventsOf(catalogue.embeddingCompleted).filter(isTold);
    await eventually('the last charge', () => charges().length > 1);
    await eventually('the last batch', () => embeddedOf('known').length > 0 && embeddedOf('last').length > 0);
    expect(charges().map(({ payload: { model, tokens } }) => [model, tokens])).toEqual([
      ['small', 7n],
      ['small', 7n],
    ]);
    server.closeAllConnections();
    server.close();
  });

  it('needs neither model nor model service with the mock backend', async () => {
    await mesh.halt('embedding');
    await mesh.halt('model');
    await mesh.run(embeddingService, { APP_EMBEDDINGS_BACKEND: 'mock' });
    // Callers notice within a moment that a service they lost is back.
    const answer = await eventually('it answers', () => embed('Hello').catch(() => undefined));
    expect(answer).toMatchObject({ model: 'hash@1', dimension: 384 });
  });
});
