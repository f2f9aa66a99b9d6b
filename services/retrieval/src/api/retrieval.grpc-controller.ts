import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type IncomingCall, type Outlet, pacedStream, scopeOf } from '@ragmesh/grpc';
import type { Observable } from 'rxjs';
import { CachedAnswer } from '../commands/cached-answer.js';
import { CachedSearch } from '../commands/cached-search.js';
import { PrepareSearch } from '../commands/prepare-search.js';
import { QueryMeter } from './query-meter.js';
import { tellingTo, toDropped, toResult } from './retrieval.grpc-mapper.js';

type SearchReply = MessageInitShape<typeof retrievalV1.SearchResponseSchema>;

/** Sources for a question, and the answer from them. */
@Controller()
export class RetrievalGrpcController {
  constructor(
    private readonly prepare: PrepareSearch,
    private readonly search: CachedSearch,
    private readonly answers: CachedAnswer,
  ) {}

  @GrpcMethod('RetrievalService', 'Search')
  async find(request: retrievalV1.SearchRequest, _metadata: unknown, call: IncomingCall): Promise<SearchReply> {
    const { query, degraded: unprepared } = await this.prepare.from(request);
    const meter = new QueryMeter(query.mode);
    try {
      const found = await this.search.run(query, scopeOf(call));
      const { points, explanation } = found;
      meter.succeeded(points[0]?.score);
      return {
        results: points.map((point) => toResult(point, explanation)),
        timings: found.timings.report(),
        degraded: [...unprepared, ...found.degraded],
        dropped: toDropped(explanation),
        supported: found.supported,
        usage: { ...found.spent },
      };
    } finally {
      meter.end();
    }
  }

  @GrpcMethod('RetrievalService', 'Query')
  query(
    request: retrievalV1.QueryRequest,
    _metadata: unknown,
    call: IncomingCall & Outlet,
  ): Observable<retrievalV1.QueryResponse> {
    return pacedStream(this.#answer(request, call), call);
  }

  async *#answer(request: retrievalV1.QueryRequest, call: IncomingCall): AsyncGenerator<retrievalV1.QueryResponse> {
    const { search, conversationId, fewerChunks, ...asked } = request;
    if (!search) throw new RagmeshError('REQUEST.INVALID', 'The field search is missing.', { field: 'search' });
    const whole = await this.prepare.from(search);
    const { history, instructions, model, temperature, maxTokens, stop } = asked;
    const options = { conversationId, history, instructions, model, temperature, maxTokens, stop };
    const prepared = fewerChunks ? await this.answers.lightened(whole, options) : whole;
    const meter = new QueryMeter(prepared.query.mode);
    let bestScore: number | undefined;
    try {
      const telling = tellingTo(conversationId);
      for await (const reply of this.answers.run(prepared, options, telling, scopeOf(call))) {
        const { event } = reply;
        if (event.case === 'sources') bestScore = event.value.results[0]?.source?.score;
        if (event.case === 'done') meter.succeeded(bestScore);
        yield reply;
      }
    } finally {
      meter.end();
    }
  }
}
