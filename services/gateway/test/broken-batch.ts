import { create } from '@bufbuild/protobuf';
import type { Drivers } from '@ragmesh/bootstrap';
import { catalogue, encodePayload } from '@ragmesh/contracts';
import { withSignature } from '@ragmesh/messaging';
import { v7 as uuidv7 } from 'uuid';

/** Whose it is, and what it says of itself besides what every event says. */
export interface BrokenBatch {
  readonly documentId: string;
  readonly tenant?: string;
  readonly collection?: string;
  readonly words?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Publishes a batch that no index can take, as if the embedding service had sent it for the first version of a document. */
export async function publishBrokenBatch(bus: Drivers['bus'], batch: BrokenBatch): Promise<void> {
  const { documentId, tenant = 'default', collection = 'default', words = 'nothing of value' } = batch;
  const payload = create(catalogue.chunksEmbedded.schema, {
    documentId,
    version: 1n,
    collection,
    batches: 1,
    chunks: [{ ordinal: 0, text: words, start: 0, end: words.length }],
    dimension: 3,
    vectors: new Uint8Array(5),
  });
  const headers = {
    ce_id: uuidv7(),
    ce_type: 'chunks.embedded',
    ce_source: '/ragmesh/embedding',
    ce_specversion: '1.0',
    ce_time: new Date().toISOString(),
    ce_subject: documentId,
    ce_tenant: tenant,
    ...batch.headers,
  };
  const value = encodePayload(catalogue.chunksEmbedded, payload);
  await bus.publish([
    { topic: 'chunks.embedded', partition: 0, key: documentId, headers: withSignature(headers, value), value },
  ]);
}
