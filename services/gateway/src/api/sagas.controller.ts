import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { operationsV1, type ServiceName } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { GrpcClients, type GrpcClient } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { inTenant, inTenants } from './chosen-tenant.js';
import { EveryService, mergedPage, services } from './every-service.js';
import { tenantQuery } from './keys.schema.js';
import { sagaBody, sagaDetailBody } from './saga.mapper.js';
import * as schema from './saga.schema.js';

type ListQuery = z.output<typeof schema.listSagasQuery>;
type Detail = z.input<typeof schema.sagaDetail>;
type TenantQuery = z.output<typeof tenantQuery>;
const id = valid(schema.sagaId);

/** Processes over several services: what runs, what is being undone, what needs a push. */
@Controller('v1/admin/sagas')
export class SagasController {
  constructor(
    private readonly clients: GrpcClients,
    private readonly calls: Calls,
    private readonly every: EveryService,
  ) {}

  @Get()
  @Describe({
    summary: 'List sagas',
    tag: 'Administration',
    query: schema.listSagasQuery,
    answers: [{ status: 200, description: 'One page over all services, newest first', schema: schema.sagaPage }],
    problems: ['AUTH.FORBIDDEN'],
  })
  async list(
    @Query(valid(schema.listSagasQuery)) { tenant, service, overdue, kind, state, ...page }: ListQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof schema.sagaPage>> {
    const asked = services.filter((name) => service === undefined || name === service);
    const wanted = { ...page, kind: kind ?? '', state: state ?? '', overdue: overdue === 'true' };
    const { answers, unavailable } = await inTenants(tenant, reply, (allTenants) =>
      this.every.ask(asked, reply, (name, options) => this.#client(name).listSagas({ ...wanted, allTenants }, options)),
    );
    const sagas = answers.map((answer) => answer.sagas);
    const { page: shown, next } = mergedPage(sagas, page.limit);
    return {
      data: shown.map(sagaBody),
      next_cursor: next,
      unavailable: [...unavailable],
    };
  }

  @Get(':id')
  @Describe({
    summary: 'Get a saga with everything that happened to it',
    tag: 'Administration',
    query: tenantQuery,
    answers: [{ status: 200, description: 'The saga and its timeline', schema: schema.sagaDetail }],
    problems: ['AUTH.FORBIDDEN', 'SAGA.NOT_FOUND'],
  })
  async get(
    @Param('id', id) sagaId: string,
    @Query(valid(tenantQuery)) { tenant }: TenantQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Detail> {
    return inTenant(tenant, reply, async () =>
      sagaDetailBody(await this.#owner(sagaId).getSaga({ id: sagaId }, this.calls.unary(reply))),
    );
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Describe({
    summary: 'Ask again, now, for what a saga waits for',
    tag: 'Administration',
    query: tenantQuery,
    answers: [{ status: 200, description: 'The saga as it is now', schema: schema.sagaDetail }],
    problems: ['AUTH.FORBIDDEN', 'SAGA.NOT_FOUND', 'SAGA.ENDED'],
  })
  async resume(
    @Param('id', id) sagaId: string,
    @Query(valid(tenantQuery)) { tenant }: TenantQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Detail> {
    return inTenant(tenant, reply, async () =>
      sagaDetailBody(await this.#owner(sagaId).resumeSaga({ id: sagaId }, this.calls.write())),
    );
  }

  @Post(':id/abort')
  @HttpCode(200)
  @Describe({
    summary: 'Call a saga off and undo what it did',
    tag: 'Administration',
    query: tenantQuery,
    body: { 'application/json': schema.abortBody },
    example: { reason: 'Uploaded to the wrong collection' },
    answers: [{ status: 200, description: 'The saga as it is now', schema: schema.sagaDetail }],
    problems: ['AUTH.FORBIDDEN', 'SAGA.NOT_FOUND', 'SAGA.ENDED', 'SAGA.NOT_ABORTABLE'],
  })
  async abort(
    @Param('id', id) sagaId: string,
    @Query(valid(tenantQuery)) { tenant }: TenantQuery,
    @Body(valid(schema.abortBody)) { reason }: z.output<typeof schema.abortBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Detail> {
    return inTenant(tenant, reply, async () =>
      sagaDetailBody(await this.#owner(sagaId).abortSaga({ id: sagaId, reason }, this.calls.write())),
    );
  }

  #owner(sagaId: string): GrpcClient<typeof operationsV1.SagaService> {
    const owner = services.find((name) => sagaId.startsWith(`${name}.`));
    if (!owner) throw new RagmeshError('SAGA.NOT_FOUND', `There is no saga "${sagaId}".`, { id: sagaId });
    return this.#client(owner);
  }

  #client(service: ServiceName): GrpcClient<typeof operationsV1.SagaService> {
    return this.clients.of(operationsV1.SagaService, service);
  }
}
