import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { BestEffortPublisher } from '@ragmesh/messaging';
import { currentContext } from '@ragmesh/observability';

export interface GenerationFacts {
  readonly model: string;
  readonly citations: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalMs: number;
}

/** Tells the bus what an answer took: counts and times, never text. Best effort, never in the way. */
@Injectable()
export class GenerationEvents {
  constructor(private readonly publisher: BestEffortPublisher) {}

  generationCompleted(facts: GenerationFacts): void {
    const requestId = currentContext()?.requestId ?? '';
    this.publisher.publish(catalogue.generationCompleted, requestId, { requestId, ...facts });
  }
}
