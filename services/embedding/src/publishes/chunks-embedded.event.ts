import type { MessageInitShape } from '@bufbuild/protobuf';
import type { eventsV1 } from '@ragmesh/contracts';
import type { Embedded } from '../commands/embed-texts.js';
import { toVectorBytes } from './vector-bytes.js';

/** The batch as it came, with its vectors. */
export function chunksEmbedded(
  { documentId, version, collection, batch, batches, title, metadata, chunks, generation }: eventsV1.DocumentChunked,
  { vectors, model, dimension }: Embedded,
): MessageInitShape<typeof eventsV1.ChunksEmbeddedSchema> {
  return {
    documentId,
    version,
    collection,
    batch,
    batches,
    title,
    chunks,
    model,
    dimension,
    ...(metadata ? { metadata } : {}),
    ...(generation === undefined ? {} : { generation }),
    vectors: toVectorBytes(vectors),
  };
}
