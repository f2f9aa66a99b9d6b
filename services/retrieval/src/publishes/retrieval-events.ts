import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { BestEffortPublisher } from '@ragmesh/messaging';
import { currentContext } from '@ragmesh/observability';
import type { SearchQuery } from '../domain/search-query.js';

export interface AnswerFacts {
  readonly results: number;
  readonly totalMs: number;
  readonly degraded: readonly string[];
}

/** Tells the bus what was searched and answered: counts and times, never text. Best effort, never in the way. */
@Injectable()
export class RetrievalEvents {
  constructor(private readonly publisher: BestEffortPublisher) {}

  retrievalCompleted({ collection, mode }: SearchQuery, results: number, totalMs: number): void {
    const requestId = runningRequestId();
    this.publisher.publish(catalogue.retrievalCompleted, requestId, { requestId, collection, mode, results, totalMs });
  }

  queryProcessed({ collection, mode }: SearchQuery, { results, totalMs, degraded }: AnswerFacts): void {
    const requestId = runningRequestId();
    const payload = { requestId, collection, mode, results, totalMs, degraded: [...degraded] };
    this.publisher.publish(catalogue.queryProcessed, requestId, payload);
  }
}

const runningRequestId = (): string => currentContext()?.requestId ?? '';
