import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { CONFIG } from '@ragmesh/bootstrap';
import type { retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { from, type Observable } from 'rxjs';
import { AnswerQuery } from '../commands/answer-query.js';
import { CachedSearch } from '../commands/cached-search.js';
import { parseSearchQuery } from '../domain/search-query.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { scopeOf, type IncomingCall } from './call-scope.js';
import { QueryMeter } from './query-meter.js';
import { toQueryReply, toResult, toSources } from './retrieval.grpc-mapper.js';

type SearchReply = MessageInitShape<typeof retrievalV1.SearchResponseSchema>;
type QueryReply = MessageInitShape<typeof retrievalV1.QueryResponseSchema>;

/** Sources for a question, and the answer from them. */
@Controller()
export class RetrievalGrpcController {
  constructor(
    private readonly search: CachedSearch,
    private readonly answerQuery: AnswerQuery,
    @Inject(CONFIG) private readonly config: RetrievalConfig,
  ) {}

  @GrpcMethod('RetrievalService', 'Search')
  async find(request: retrievalV1.SearchRequest, _metadata: unknown, call: IncomingCall): Promise<SearchReply> {
    const query = parseSearchQuery(request, this.config.SEARCH_ALPHA);
    const meter = new QueryMeter(query.mode);
    try {
      const { points, timings, degraded } = await this.search.run(query, scopeOf(call));
      meter.succeeded(points[0]?.score);
      const results = points.map((point) => toResult(point, query.explain));
      return { results, timings: timings.report(), degraded: [...degraded] };
    } finally {
      meter.end();
    }
  }

  @GrpcMethod('RetrievalService', 'Query')
  query(request: retrievalV1.QueryRequest, _metadata: unknown, call: IncomingCall): Observable<QueryReply> {
    return from(this.#answer(request, call));
  }

  async *#answer(request: retrievalV1.QueryRequest, call: IncomingCall): AsyncGenerator<QueryReply> {
    const { search, conversationId, temperature, maxTokens, model } = request;
    if (!search) throw new RagmeshError('REQUEST.INVALID', 'The field search is missing.', { field: 'search' });
    const query = parseSearchQuery(search, this.config.SEARCH_ALPHA);
    const options = { conversationId, model, temperature, maxTokens };
    const meter = new QueryMeter(query.mode);
    let bestScore: number | undefined;
    try {
      for await (const event of this.answerQuery.run(query, options, toSources, scopeOf(call))) {
        if (event.type === 'sources') bestScore = event.points[0]?.score;
        if (event.type === 'done') meter.succeeded(bestScore);
        yield toQueryReply(event, query.explain, conversationId);
      }
    } finally {
      meter.end();
    }
  }
}
