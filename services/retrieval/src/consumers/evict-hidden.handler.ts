import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { HandlesEvent, ack, type HandlerResult, type Message } from '@ragmesh/messaging';
import { histogram } from '@ragmesh/observability';
import { ReaderScope } from '../adapters/reader-scope.js';
import { ResultCache, madeFrom } from '../adapters/result-cache.js';

/** What was found for those who might see it then is of no more use: later searches are other searches, see `ReaderScope`. */
@Controller()
export class EvictHidden {
  constructor(
    private readonly results: ResultCache,
    private readonly readers: ReaderScope,
  ) {}

  /** Redelivery is safe: it costs one search more. */
  @HandlesEvent(catalogue.accessChanged, { id: 'retrieval.evict-hidden', deadlineSeconds: 10 })
  async handle(@Payload() { payload, tenant }: Message<eventsV1.AccessChanged>): Promise<HandlerResult> {
    const { collection, documentId, changedAt } = payload;
    const documents = documentId === '' ? [] : [madeFrom.document(tenant, documentId)];
    this.readers.noteLists(tenant, collection);
    await this.results.evict([madeFrom.collection(tenant, collection), ...documents]);
    if (changedAt) {
      const seconds = Math.max(0, Date.now() - timestampDate(changedAt).getTime()) / 1000;
      histogram('ragmesh_access_lag_seconds').observe({ service: 'retrieval' }, seconds);
    }
    return ack();
  }
}
