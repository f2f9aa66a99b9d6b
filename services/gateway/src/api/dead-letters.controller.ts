import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { messagingV1, type ServiceName } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { GrpcClients, type GrpcClient } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { inTenant, inTenants } from './chosen-tenant.js';
import { detailBody, filterMessage, groupBody, letterBody } from './dead-letter.mapper.js';
import * as schema from './dead-letter.schema.js';
import { DeadLetterSettlement } from './dead-letter-settlement.js';
import { serviceOf } from './dead-letter-owner.js';
import { EveryService, mergedPage, services } from './every-service.js';
import { tenantQuery } from './keys.schema.js';

type ListQuery = z.output<typeof schema.listDeadLettersQuery>;
type TenantQuery = z.output<typeof tenantQuery>;
type Page = z.input<typeof schema.deadLetterPage>;
type Settlement = z.input<typeof schema.settlementSchema>;

/** What the services gave up, in one list, and what is to become of it. */
@Controller('v1/admin/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly clients: GrpcClients,
    private readonly calls: Calls,
    private readonly every: EveryService,
    private readonly settlement: DeadLetterSettlement,
  ) {}

  @Get()
  @Describe({
    summary: 'List events that could not be handled, and count them by cause',
    tag: 'Administration',
    query: schema.listDeadLettersQuery,
    answers: [{ status: 200, description: 'One page over all services, newest first', schema: schema.deadLetterPage }],
    problems: ['AUTH.FORBIDDEN'],
  })
  async list(
    @Query(valid(schema.listDeadLettersQuery)) { limit, cursor, service, tenant, ...query }: ListQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Page> {
    const asked = services.filter((name) => service === undefined || name === service);
    const filter = filterMessage(query);
    const { answers, unavailable } = await inTenants(tenant, reply, (allTenants) =>
      this.every.ask(asked, reply, async (name, options) => {
        const client = this.#client(name);
        const wanted = { filter, allTenants };
        const page = await client.listDeadLetters({ ...wanted, limit, cursor }, options);
        const { groups } = cursor === '' ? await client.groupDeadLetters(wanted, options) : { groups: [] };
        return { letters: page.deadLetters, groups };
      }),
    );
    const letters = answers.map((answer) => answer.letters);
    const { page, next } = mergedPage(letters, limit);
    return {
      data: page.map(letterBody),
      next_cursor: next,
      groups: answers
        .flatMap((answer) => answer.groups)
        .map(groupBody)
        .toSorted((a, b) => b.count - a.count),
      unavailable: [...unavailable],
    };
  }

  @Get(':id')
  @Describe({
    summary: 'Get a dead letter: headers, shape of the payload, failure and replays',
    tag: 'Administration',
    path: schema.deadLetterPath,
    query: tenantQuery,
    answers: [
      { status: 200, description: 'The letter, without any text of a document', schema: schema.deadLetterDetail },
    ],
    problems: ['AUTH.FORBIDDEN', 'DEAD_LETTER.NOT_FOUND'],
  })
  async get(
    @Param('id', valid(schema.deadLetterPath.shape.id)) id: string,
    @Query(valid(tenantQuery)) { tenant }: TenantQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof schema.deadLetterDetail>> {
    const service = serviceOf(id);
    if (!service) throw new RagmeshError('DEAD_LETTER.NOT_FOUND', `There is no dead letter "${id}".`, { id });
    return inTenant(tenant, reply, async () =>
      detailBody(await this.#client(service).getDeadLetter({ id }, this.calls.unary(reply))),
    );
  }

  @Post('replay')
  @HttpCode(202)
  @Describe({
    summary: 'Have parked events handled once more, each by the handler that failed',
    tag: 'Administration',
    query: tenantQuery,
    body: { 'application/json': schema.replayBody },
    example: { reason: 'STORAGE.UNAVAILABLE', limit: 100, rate: 20 },
    answers: [{ status: 202, description: 'What is replayed and what is not', schema: schema.settlementSchema }],
    problems: ['AUTH.FORBIDDEN', 'DEAD_LETTER.NOT_FOUND', 'DEAD_LETTER.SETTLED', 'DEAD_LETTER.QUARANTINED'],
  })
  async replay(
    @Query(valid(tenantQuery)) { tenant }: TenantQuery,
    @Body(valid(schema.replayBody)) { rate, ...body }: z.output<typeof schema.replayBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Settlement> {
    return inTenant(tenant, reply, () =>
      this.settlement.run(body, (service, selection, ahead) =>
        this.#client(service).replayDeadLetters({ selection, rate, ahead, dryRun: body.dry_run }, this.calls.write()),
      ),
    );
  }

  @Post('discard')
  @HttpCode(200)
  @Describe({
    summary: 'Give parked events up for good',
    tag: 'Administration',
    query: tenantQuery,
    body: { 'application/json': schema.discardBody },
    example: { filter: { code: 'EVENT.UNDECODABLE' }, note: 'Sent by a test client' },
    answers: [{ status: 200, description: 'What is discarded and what is not', schema: schema.settlementSchema }],
    problems: ['AUTH.FORBIDDEN', 'DEAD_LETTER.NOT_FOUND', 'DEAD_LETTER.SETTLED'],
  })
  async discard(
    @Query(valid(tenantQuery)) { tenant }: TenantQuery,
    @Body(valid(schema.discardBody)) { note, ...body }: z.output<typeof schema.discardBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Settlement> {
    return inTenant(tenant, reply, () =>
      this.settlement.run(body, (service, selection) =>
        this.#client(service).discardDeadLetters({ selection, note, dryRun: body.dry_run }, this.calls.write()),
      ),
    );
  }

  #client(service: ServiceName): GrpcClient<typeof messagingV1.DeadLetterService> {
    return this.clients.of(messagingV1.DeadLetterService, service);
  }
}
