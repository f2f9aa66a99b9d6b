import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { CONFIG } from '@ragmesh/bootstrap';
import type { retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import { counter, histogram } from '@ragmesh/observability';
import { from, type Observable } from 'rxjs';
import { AnswerQuery } from '../commands/answer-query.js';
import { Search, type Found } from '../commands/search.js';
import { parseSearchQuery, type SearchFields, type SearchQuery } from '../domain/search-query.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { scopeOf, type IncomingCall } from './call-scope.js';
import { toQueryReply, toResult, toSources } from './retrieval.grpc-mapper.js';

type SearchReply = MessageInitShape<typeof retrievalV1.SearchResponseSchema>;
type QueryReply = MessageInitShape<typeof retrievalV1.QueryResponseSchema>;

/** Sources for a question, and the answer from them. */
@Controller()
export class RetrievalGrpcController {
  constructor(
    private readonly search: Search,
    private readonly answerQuery: AnswerQuery,
    private readonly events: RetrievalEvents,
    @Inject(CONFIG) private readonly config: RetrievalConfig,
  ) {}

  @GrpcMethod('RetrievalService', 'Search')
  async find(request: retrievalV1.SearchRequest, _metadata: unknown, call: IncomingCall): Promise<SearchReply> {
    const query = this.#parse(request);
    const found = await counted(query.mode, () => this.search.run(query, scopeOf(call)));
    const timings = found.timings.report();
    this.#announce(query, found, timings.total_ms!);
    const results = found.points.map((point) => toResult(point, query.explain));
    return { results, timings, degraded: [...found.degraded] };
  }

  @GrpcMethod('RetrievalService', 'Query')
  query(request: retrievalV1.QueryRequest, _metadata: unknown, call: IncomingCall): Observable<QueryReply> {
    return from(this.#answer(request, call));
  }

  async *#answer(request: retrievalV1.QueryRequest, call: IncomingCall): AsyncGenerator<QueryReply> {
    const { search, conversationId, temperature, maxTokens, model } = request;
    if (!search) throw new RagmeshError('REQUEST.INVALID', 'The field search is missing.', { field: 'search' });
    const query = this.#parse(search);
    const options = { conversationId, model, temperature, maxTokens };
    const started = performance.now();
    let status = 'cancelled';
    let results = 0;
    try {
      for await (const event of this.answerQuery.run(query, options, toSources, scopeOf(call))) {
        if (event.type === 'sources') results = event.points.length;
        if (event.type === 'done') {
          status = 'ok';
          const { timings, degraded } = event;
          this.events.queryProcessed(query, { results, degraded, totalMs: timings.total_ms! });
        }
        yield toQueryReply(event, query.explain, conversationId);
      }
    } catch (error) {
      status = asRagmeshError(error).code;
      throw error;
    } finally {
      note(query.mode, status, started);
    }
  }
}
