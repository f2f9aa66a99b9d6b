import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue, embeddingV1 } from '@ragmesh/contracts';
import { modelService } from '@ragmesh/service-model';
import { ServiceMesh, eventually } from '../../knowledge/test/service-mesh.js';
import { embeddingService } from '../src/embedding.service.js';

const consumer = 'embedding';
let mesh: ServiceMesh;

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
  mesh = await ServiceMesh.start(catalogue.chunksEmbedded.topic);
  // The other way round, too: embedding must not need its model to start.
  await mesh.run(embeddingService);
  await mesh.run(modelService);
});
afterAll(() => mesh.stop());

describe('embedding a question', () => {
  it('gives unit vectors in the order asked for, near to each other when the meaning is', async () => {
    const answer = await embed(
      'How do I reset my password?',
      'A train leaves the station.',
      'I forgot my login credentials.',
    );
    expect(answer).toMatchObject({ dimension: 384, model: expect.stringMatching(/^all-MiniLM-L6-v2@\w+$/) });
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
    await mesh.run(modelService);
    await mesh.settled(consumer, id);
    await eventually('the vectors', () => embeddedOf('early').length > 0);
  });

  it('says at once that it is unavailable when its model does not exist', async () => {
    await mesh.halt('embedding');
    await mesh.run(embeddingService, { EMBEDDING_MODEL: 'no-such-model' });
    await expect(embed('Hello')).rejects.toMatchObject({
      code: 'EMBEDDING.UNAVAILABLE',
      details: { reason: 'MODEL.NOT_FOUND' },
    });
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
