import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { catalogue, encodePayload } from '@ragmesh/contracts';
import { redactedPayload } from './redacted-payload.js';

const secret = 'the merger with Acme';

const chunked = encodePayload(
  catalogue.documentChunked,
  create(catalogue.documentChunked.schema, {
    documentId: 'd1',
    version: 3n,
    collection: 'letters',
    batch: 1,
    batches: 2,
    title: secret,
    metadata: { topic: secret, year: 2024, tags: [secret], nested: { deep: secret } },
    chunks: Array.from({ length: 8 }, (_, ordinal) => ({ ordinal, text: secret, start: 1, end: 20, heading: secret })),
  }),
);

describe('redactedPayload', () => {
  it('shows ids, numbers and the length of every text', () => {
    expect(redactedPayload('document.chunked', chunked)).toMatchObject({
      document_id: 'd1',
      version: 3,
      collection: 'letters',
      batch: 1,
      title: '[text of 20 characters]',
      chunks: expect.arrayContaining([
        { ordinal: 1, text: '[text of 20 characters]', start: 1, end: 20, heading: '[text of 20 characters]' },
      ]),
    });
  });

  it('shows the first of many items and counts the others', () => {
    const { chunks } = redactedPayload('document.chunked', chunked) as { chunks: unknown[] };
    expect(chunks).toHaveLength(6);
    expect(chunks.at(-1)).toBe('[3 more]');
  });

  it('shows no word of the content, wherever it stands', () => {
    expect(JSON.stringify(redactedPayload('document.chunked', chunked))).not.toContain('Acme');
  });

  it('shows which metadata there is', () => {
    const { metadata } = redactedPayload('document.chunked', chunked) as { metadata: object };
    expect(metadata).toEqual({
      topic: '[text of 20 characters]',
      year: 2024,
      tags: ['[text of 20 characters]'],
      nested: { deep: '[text of 20 characters]' },
    });
  });

  it('shows vectors by their size', () => {
    const embedded = create(catalogue.chunksEmbedded.schema, { documentId: 'd1', vectors: new Uint8Array(512) });
    expect(redactedPayload('chunks.embedded', encodePayload(catalogue.chunksEmbedded, embedded))).toEqual({
      document_id: 'd1',
      vectors: '[512 bytes]',
    });
  });

  it('shows nothing of what it cannot read', () => {
    expect(redactedPayload('document.chunked', Buffer.from(secret))).toBeUndefined();
    expect(redactedPayload('document.reimagined', chunked)).toBeUndefined();
  });
});
