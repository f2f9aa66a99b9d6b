import type { SagaDefinition, SagaError } from '@ragmesh/saga';
import type { Quality } from '../domain/quality.js';

/** What a reindex knows. Which documents a generation has is known where the points are. */
export interface Reindex {
  readonly tenant: string;
  readonly collection: string;
  readonly generation: number;
  /** It was shown before and is shown again: nothing is compared. */
  readonly rollback: boolean;
  /** Documents readers see, and those of them the generation has. */
  readonly documents: number;
  readonly done: number;
  /** The walk sent what was missing up to this document. */
  readonly position: string;
  /** Walks since a document was added last. */
  readonly rounds: number;
  readonly quality: Quality | null;
  /** Why a batch for the generation was given up last; what is missing is sent again. */
  readonly failure?: SagaError;
}

const HOUR = 3600;

/**
 * open → build → check → show. A worker takes it forward, so no step sends anything; what a crash interrupts is done again
 * from here. There is nothing to undo: readers go on seeing what they see until the last step, and what was built is
 * removed later. An hour without a move fails the build; showing is past the point of no return.
 */
export const reindexSaga: SagaDefinition<Reindex> = {
  name: 'collection-reindex',
  steps: [
    { name: 'open', within: HOUR, onTimeout: 'fail' },
    { name: 'build', within: HOUR, onTimeout: 'fail' },
    { name: 'check', within: HOUR, onTimeout: 'fail' },
    { name: 'show', within: HOUR, onTimeout: 'resend', isFinal: true },
  ],
};

/** One reindex of a collection at a time. */
export const reindexId = (tenant: string, collection: string): string => `${tenant}/${collection}`;
