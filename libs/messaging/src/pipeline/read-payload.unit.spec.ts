import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { catalogue, encodePayload, eventSpecs } from '@ragmesh/contracts';
import { readPayload } from './read-payload.js';

describe('the payload of an event', () => {
  it('is refused when it does not name what it is about, in either encoding', () => {
    expect(() => readPayload(catalogue.documentCreated, Buffer.from('{}'))).toThrow(/lacks document_id/);
    expect(() => readPayload(catalogue.chunksEmbedded, new Uint8Array(0))).toThrow(/lacks document_id/);
  });

  it('is read when it does, whatever else is missing or unknown', () => {
    const value = Buffer.from('{"documentId": "d", "addedLater": 1}');
    expect(readPayload(catalogue.documentCreated, value)).toMatchObject({ documentId: 'd', version: 0n });
  });

  it('may be about a collection and none of its documents, where the catalogue says so', () => {
    const bytes = encodePayload(catalogue.vectorUpdated, create(catalogue.vectorUpdated.schema, { collection: 'c' }));
    expect(readPayload(catalogue.vectorUpdated, bytes)).toMatchObject({ collection: 'c', documentId: '' });
  });

  it('names what it is about, for every event there is', () => {
    for (const spec of eventSpecs) {
      const empty = encodePayload(spec, create(spec.schema));
      expect(() => readPayload(spec, empty)).toThrow(/lacks \w+\.$/);
    }
  });
});
