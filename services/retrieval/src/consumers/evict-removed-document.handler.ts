import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, ack, type HandlerResult, type Message } from '@ragmesh/messaging';
import { ResultCache, madeFrom } from '../adapters/result-cache.js';

/** What was removed can only be missing from the results that named it. */
@Controller()
export class EvictRemovedDocument {
  constructor(private readonly results: ResultCache) {}

  /** Redelivery is safe: it costs one search more. */
  @HandlesEvent(catalogue.vectorDeleted, { id: 'retrieval.evict-removed', deadlineSeconds: 10 })
  async handle(@Payload() { payload, tenant }: Message<eventsV1.VectorDeleted>): Promise<HandlerResult> {
    await this.results.evict([madeFrom.document(tenant, payload.documentId)]);
    return ack();
  }
}
