import type { MessageInitShape } from '@bufbuild/protobuf';
import type { documentV1 } from '@ragmesh/contracts';
import type { GenerationRow } from '../adapters/generation.repository.js';
import { toError } from './document.grpc-mapper.js';

/** Named by what it builds or shows, like the operations of documents. */
export const reindexOperationId = (collection: string, generation: number): string =>
  `reindex-${generation}-${collection}`;

export function parseReindexOperationId(id: string): { collection: string; generation: number } | undefined {
  const match = /^reindex-(\d{1,9})-(.+)$/s.exec(id);
  return match ? { generation: Number(match[1]), collection: match[2]! } : undefined;
}

/** Building is most of the way; comparing and showing are the rest. */
const SHARES: Readonly<Record<string, number>> = { open: 0, check: 0.92, show: 0.96 };

/** How far a reindex or a rollback is, read off the generation it is about. */
export function toReindexOperation(
  collection: string,
  { generation, operation, quality }: GenerationRow,
): MessageInitShape<typeof documentV1.OperationSchema> {
  const { status = 'processing', stage = '', documents = 0, done = 0, error } = operation;
  const isDone = status !== 'processing';
  const built = documents === 0 ? 0 : (0.9 * done) / documents;
  const figures = quality && {
    questions: quality.questions,
    overlap: quality.overlap,
    self_retrieval: quality.selfRetrieval,
    live_self_retrieval: quality.liveSelfRetrieval,
  };
  return {
    id: reindexOperationId(collection, generation),
    kind: 'reindex',
    version: BigInt(generation),
    status,
    stage,
    progress: status === 'ready' ? 1 : Number((SHARES[stage] ?? built).toFixed(3)),
    done: isDone,
    ...(error ? { error: toError(error) } : {}),
    receipt: { collection, generation, documents, documents_done: done, quality: figures ?? null },
  };
}
