import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { Controller, Get, Query, Res } from '@nestjs/common';
import { eventSpecs, messagingV1, type ServiceName } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { GrpcClients } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { pageOf, pageQuery } from './paging.schema.js';

const deadLetter = z.object({
  id: z.string(),
  service: z.string(),
  handler: z.string(),
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  event_id: z.string(),
  event_type: z.string(),
  subject: z.string(),
  code: z.string(),
  message: z.string(),
  attempts: z.int(),
  first_failed_at: z.string().nullable(),
  last_failed_at: z.string().nullable(),
});
const deadLetterPage = pageOf(deadLetter);
type Page = z.input<typeof deadLetterPage>;

/** Services that consume events, in the order their dead letters are listed. */
const consumers: readonly ServiceName[] = [...new Set(eventSpecs.flatMap(({ consumers: names }) => names))].filter(
  (name) => name !== 'gateway',
);

/** What the services gave up, in one list. */
@Controller('v1/admin/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly clients: GrpcClients,
    private readonly calls: Calls,
  ) {}

  /** Pages run through one service after the other; the cursor names the service it stands in. */
  @Get()
  @Describe({
    summary: 'List events that could not be handled',
    tag: 'Administration',
    query: pageQuery,
    answers: [{ status: 200, description: 'One page, service by service', schema: deadLetterPage }],
    problems: [],
  })
  async list(
    @Query(valid(pageQuery)) { limit, cursor }: z.output<typeof pageQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page> {
    let position: Position | undefined = parseCursor(cursor);
    const data: Page['data'] = [];
    while (position && data.length < limit) {
      const client = this.clients.of(messagingV1.DeadLetterService, consumers[position.service]!);
      const wanted = limit - data.length;
      const page = await client.listDeadLetters({ limit: wanted, cursor: position.cursor }, this.calls.unary(reply));
      data.push(...page.deadLetters.map(letterBody));
      position = advance(position, page.nextCursor);
    }
    return { data, next_cursor: position ? `${consumers[position.service]}:${position.cursor}` : null };
  }
}

interface Position {
  readonly service: number;
  readonly cursor: string;
}

function advance({ service }: Position, nextCursor: string): Position | undefined {
  if (nextCursor !== '') return { service, cursor: nextCursor };
  return service + 1 < consumers.length ? { service: service + 1, cursor: '' } : undefined;
}

function parseCursor(cursor: string): Position {
  if (cursor === '') return { service: 0, cursor: '' };
  const colon = cursor.indexOf(':');
  const service = consumers.findIndex((name) => name === cursor.slice(0, colon));
  if (service === -1)
    throw new RagmeshError('REQUEST.INVALID', 'Field cursor must be the next_cursor of another page.', {
      field: 'cursor',
    });
  return { service, cursor: cursor.slice(colon + 1) };
}

const time = (at: Timestamp | undefined): string | null => (at ? timestampDate(at).toISOString() : null);

const letterBody = (letter: messagingV1.DeadLetter): z.input<typeof deadLetter> => ({
  id: letter.id,
  service: letter.service,
  handler: letter.handler,
  topic: letter.topic,
  partition: letter.partition,
  offset: String(letter.offset),
  event_id: letter.eventId,
  event_type: letter.eventType,
  subject: letter.subject,
  code: letter.code,
  message: letter.message,
  attempts: letter.attempts,
  first_failed_at: time(letter.firstFailedAt),
  last_failed_at: time(letter.lastFailedAt),
});
