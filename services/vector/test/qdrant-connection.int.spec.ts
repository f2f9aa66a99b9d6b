import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { RagmeshError } from '@ragmesh/errors';
import { QdrantConnection } from '../src/adapters/qdrant/qdrant-connection.js';
import { QdrantStandIn } from './qdrant-stand-in/qdrant-stand-in.js';

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

describe('a Qdrant that asks to come again later', () => {
  let qdrant: QdrantStandIn;
  let connection: QdrantConnection;
  beforeAll(async () => {
    qdrant = await QdrantStandIn.start();
  });
  beforeEach(() => {
    connection = new QdrantConnection({ url: qdrant.url, apiKey: undefined, timeoutMs: 10_000 });
  });
  afterEach(() => connection.close());
  afterAll(() => qdrant.stop());

  const failureOf = async (status: number, advice: string) => {
    qdrant.refusal = { status, headers: { 'retry-after': advice } };
    const failure: unknown = await connection.write((client) => client.getCollections()).catch((error) => error);
    expect(failure).toMatchObject({ code: 'VECTOR.UNAVAILABLE', retry: 'transient' });
    return failure as RagmeshError;
  };

  it.each([
    ['in seconds', () => '120', 120],
    ['by a date', () => inSeconds(120), 120],
    ['in a year', () => inSeconds(31_536_000), 600],
    ['after more seconds than there are', () => '9'.repeat(400), 600],
    ['by a date that is over', () => inSeconds(-120), undefined],
    ['in words of its own', () => 'soon', undefined],
  ])('%s is left alone for as long as it says, ten minutes at most', async (_when, advice, seconds) => {
    const busy = await failureOf(429, advice());
    expect(busy.message).toBe('Qdrant asks to slow down.');
    const ill = await failureOf(503, advice());
    expect(ill.message).toBe('Qdrant answered with status 503.');
    if (seconds === undefined) {
      expect(busy.details['retryAfter']).toBe(1);
      expect(ill.details).not.toHaveProperty('retryAfter');
      return;
    }
    for (const { details } of [busy, ill]) {
      expect(details['retryAfter']).toBeLessThanOrEqual(seconds);
      expect(details['retryAfter']).toBeGreaterThan(seconds - 10); // some of it is over when it is read
    }
  });
});
