import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { retrievalV1 } from '@ragmesh/contracts';
import { type IncomingCall, scopeOf } from '@ragmesh/grpc';
import { currentTenant } from '@ragmesh/observability';
import { ResultCache, madeFrom } from '../adapters/result-cache.js';
import { WarmCache } from '../commands/warm-cache.js';
import { tellingTo } from './retrieval.grpc-mapper.js';

type WarmReply = MessageInitShape<typeof retrievalV1.WarmCacheResponseSchema>;
type ClearReply = MessageInitShape<typeof retrievalV1.ClearCacheResponseSchema>;

/** What operators do with the kept results and answers of a tenant. */
@Controller()
export class CacheGrpcController {
  constructor(
    private readonly warming: WarmCache,
    private readonly results: ResultCache,
  ) {}

  @GrpcMethod('RetrievalService', 'WarmCache')
  async warm(request: retrievalV1.WarmCacheRequest, _metadata: unknown, call: IncomingCall): Promise<WarmReply> {
    const { searches, answers } = request;
    const { usage, ...counts } = await this.warming.run(searches, answers ? tellingTo('') : undefined, scopeOf(call));
    return { ...counts, usage: { ...usage } };
  }

  @GrpcMethod('RetrievalService', 'ClearCache')
  async clear({ collection }: retrievalV1.ClearCacheRequest): Promise<ClearReply> {
    const tenant = currentTenant();
    await this.results.evict([collection === '' ? madeFrom.tenant(tenant) : madeFrom.collection(tenant, collection)]);
    return {};
  }
}
