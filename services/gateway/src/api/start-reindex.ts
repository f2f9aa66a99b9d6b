import type { documentV1 } from '@ragmesh/contracts';
import type { Calls } from './calls.js';

/** What a reindex is asked for. */
export interface ReindexRequest {
  readonly collection: string;
  /** In tokens, as the overlap; without it the collection's own, else chunks stay as they are. */
  readonly chunkSize?: number | undefined;
  readonly chunkOverlap?: number | undefined;
  /** Name or name@revision; without it that of the live generation. */
  readonly model?: string | undefined;
}

/** Begins a new generation of a collection's index. @throws RagmeshError COLLECTION.NOT_FOUND, or as the document service does. */
export async function startReindex(calls: Calls, request: ReindexRequest): Promise<documentV1.Operation> {
  const { collection, chunkSize, chunkOverlap, model = '' } = request;
  const { chunking } = await calls.knowledge.getCollection({ id: collection }, calls.write());
  const own = chunking && { chunkSize: chunking.size, chunkOverlap: chunking.overlap };
  const asked = { chunkSize, chunkOverlap };
  return calls.documents.startReindex({ collection, ...(chunkSize === undefined ? own : asked), model }, calls.write());
}
