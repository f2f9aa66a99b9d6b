import { Body, Controller, Headers, Post, Res } from '@nestjs/common';
import type { retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { EventStream } from '../http/event-stream.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { LanguageModelNames } from './language-model-names.js';
import { citationBody, completionBody, droppedBody, queryMessage, resultBody } from './search.mapper.js';
import { queryAnswer, queryRequest, type QueryInput } from './search.schema.js';

type Answer = AsyncIterable<retrievalV1.QueryResponse>;

/** Cited answers, whole or as they come. */
@Controller('v1/query')
export class QueryController {
  constructor(
    private readonly calls: Calls,
    private readonly problems: ProblemFilter,
    private readonly models: LanguageModelNames,
  ) {}

  @Post()
  @Describe({
    summary: 'Answer a question with citations',
    tag: 'Answers',
    body: { 'application/json': queryRequest },
    example: { query: 'How long is the notice period?', stream: false },
    answers: [
      {
        status: 200,
        description:
          'The answer; with `stream` or `Accept: text/event-stream` the events `sources`, `delta`, `citation`, `done` and `error`',
        schema: queryAnswer,
      },
      { status: 200, description: 'Events', type: 'text/event-stream' },
    ],
    problems: [
      'FILTER.UNKNOWN_OPERATOR',
      'FILTER.INVALID',
      'EMBEDDING.UNAVAILABLE',
      'VECTOR.UNAVAILABLE',
      'GENERATION.UNAVAILABLE',
    ],
  })
  async query(
    @Body(valid(queryRequest)) input: QueryInput,
    @Headers('accept') accept: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asEvents = input.stream || (accept ?? '').toLowerCase().includes('text/event-stream');
    const options = asEvents ? this.calls.answer(reply) : this.calls.unary(reply);
    await this.models.check(input.model, this.calls.unary(reply));
    const answer = this.calls.ask(queryMessage(input), reply, options);
    if (asEvents) await this.stream(answer, reply, input);
    else await reply.status(200).send(await collect(answer, scopeOf(reply).requestId, input));
  }

  /** A failure before the first event is an ordinary problem answer; a later one ends the stream with an `error` event. */
  private async stream(answer: Answer, reply: FastifyReply, input: QueryInput): Promise<void> {
    const { requestId } = scopeOf(reply);
    const messages = answer[Symbol.asyncIterator]();
    let events: EventStream | undefined;
    try {
      let next = await messages.next();
      events = EventStream.open(reply);
      for (; !next.done; next = await messages.next()) await sendEvent(events, next.value, { requestId, input });
    } catch (error) {
      if (!events) throw error;
      await events.send('error', this.problems.describe(error, reply.request));
    } finally {
      await messages.return?.();
      events?.end();
    }
  }
}

async function sendEvent(
  events: EventStream,
  { event }: retrievalV1.QueryResponse,
  { requestId, input }: { requestId: string; input: QueryInput },
): Promise<void> {
  switch (event.case) {
    case 'sources': {
      const { results, dropped } = event.value;
      return events.send('sources', { sources: results.map(resultBody), ...droppedBody(input, dropped) });
    }
    case 'delta':
      return events.send('delta', { text: event.value });
    case 'citation':
      return events.send('citation', citationBody(event.value));
    case 'done':
      return events.send('done', completionBody(event.value, requestId, input));
    case undefined:
      return;
  }
}

/** The same events as one body. */
async function collect(answer: Answer, requestId: string, input: QueryInput): Promise<z.input<typeof queryAnswer>> {
  const text: string[] = [];
  const citations: z.input<typeof queryAnswer>['citations'] = [];
  let sources: Pick<z.input<typeof queryAnswer>, 'sources' | 'dropped'> = { sources: [] };
  for await (const { event } of answer) {
    if (event.case === 'sources') {
      const { results, dropped } = event.value;
      sources = { sources: results.map(resultBody), ...droppedBody(input, dropped) };
    } else if (event.case === 'delta') text.push(event.value);
    else if (event.case === 'citation') citations.push(citationBody(event.value));
    else if (event.case === 'done') {
      return { answer: text.join(''), citations, ...sources, ...completionBody(event.value, requestId, input) };
    }
  }
  throw new RagmeshError('INTERNAL.UNEXPECTED', 'The answer ended before it was complete.');
}
