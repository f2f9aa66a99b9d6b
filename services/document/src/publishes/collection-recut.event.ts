import { catalogue } from '@ragmesh/contracts';
import type { Publish } from '@ragmesh/messaging';
import type { Leftover, ShownCut } from '../adapters/generation.repository.js';

/** Documents one event tells of; far below what the bus takes, whatever they are called. */
const MOST_DOCUMENTS = 500;

/** Tells how many chunks the documents have that readers see cut in another way from now on. */
export function publishRecut(
  publish: Publish,
  { collection, generation }: Pick<Leftover, 'collection' | 'generation'>,
  cuts: readonly ShownCut[],
): void {
  const shownAt = BigInt(cuts[0]?.shown_at ?? 0);
  for (let first = 0; first < cuts.length; first += MOST_DOCUMENTS) {
    const documents = cuts.slice(first, first + MOST_DOCUMENTS).map(({ document_id: documentId, version, chunks }) => ({
      documentId,
      version: BigInt(version),
      chunks,
    }));
    publish(catalogue.collectionRecut, collection, { collection, generation, documents, shownAt });
  }
}
