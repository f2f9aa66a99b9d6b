import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, ack, type HandlerResult, type Message } from '@ragmesh/messaging';
import { ResultCache, madeFrom } from '../adapters/result-cache.js';

/** A version that readers see from now on may belong into any result of its collection. */
@Controller()
export class EvictUpdatedDocument {
  constructor(private readonly results: ResultCache) {}

  /** Redelivery is safe: it costs one search more. */
  @HandlesEvent(catalogue.vectorUpdated, { id: 'retrieval.evict-updated', deadlineSeconds: 10 })
  async handle(@Payload() { payload, tenant }: Message<eventsV1.VectorUpdated>): Promise<HandlerResult> {
    const { collection, documentId } = payload;
    await this.results.evict([madeFrom.collection(tenant, collection), madeFrom.document(tenant, documentId)]);
    return ack();
  }
}
