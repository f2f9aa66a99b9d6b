import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { operationsV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import { SagaOperator, SagaStore, type SagaSummary } from '@ragmesh/saga';
import { SERVICE_NAME } from './service-name.js';
import { tenantAsked } from './tenant-asked.js';

const MAX_LIMIT = 200;

type SagaReply = MessageInitShape<typeof operationsV1.SagaSchema>;
type DetailReply = MessageInitShape<typeof operationsV1.SagaDetailSchema>;

/** Every service shows its sagas and lets an operator push or stop them. */
@Controller()
export class SagaGrpcController {
  constructor(
    private readonly sagas: SagaStore,
    private readonly operator: SagaOperator,
    @Inject(SERVICE_NAME) private readonly service: string,
  ) {}

  @GrpcMethod('SagaService', 'ListSagas')
  async list({
    limit,
    cursor,
    kind,
    state,
    overdue,
    allTenants,
  }: operationsV1.ListSagasRequest): Promise<MessageInitShape<typeof operationsV1.ListSagasResponseSchema>> {
    const wanted = Math.min(limit || 50, MAX_LIMIT);
    const sagas = await this.sagas.list(tenantAsked(allTenants), { kind, state, overdue }, wanted, cursor);
    return { sagas: sagas.map((saga) => this.#saga(saga)) };
  }

  @GrpcMethod('SagaService', 'GetSaga')
  async get({ id }: operationsV1.SagaRef): Promise<DetailReply> {
    return this.#detail(id);
  }

  @GrpcMethod('SagaService', 'ResumeSaga')
  async resume({ id }: operationsV1.SagaRef): Promise<DetailReply> {
    await this.operator.resume(currentTenant(), this.#ref(id));
    return this.#detail(id);
  }

  @GrpcMethod('SagaService', 'AbortSaga')
  async abort({ id, reason }: operationsV1.AbortSagaRequest): Promise<DetailReply> {
    await this.operator.abort(currentTenant(), this.#ref(id), reason || 'An operator called it off.');
    return this.#detail(id);
  }

  /** An id is the service's name, a dot, and what names the saga there. */
  #ref(id: string): string {
    return id.slice(id.indexOf('.') + 1);
  }

  async #detail(id: string): Promise<DetailReply> {
    const saga = await this.sagas.get(currentTenant(), this.#ref(id));
    const moves = await this.sagas.timeline(saga);
    return {
      saga: this.#saga(saga),
      data: saga.data as JsonObject,
      traceId: saga.trace['traceparent']?.split('-')[1] ?? '',
      timeline: moves.map(({ at, ...move }) => ({ ...move, at: timestampFromDate(at) })),
    };
  }

  #saga(saga: SagaSummary): SagaReply {
    return {
      id: `${this.service}.${saga.ref}`,
      tenant: saga.tenant,
      service: this.service,
      kind: saga.name,
      state: saga.state,
      step: saga.step,
      attempts: saga.attempts,
      overdue: saga.overdue,
      ...(saga.error ? { error: saga.error } : {}),
      ...(saga.undo_error ? { compensationError: saga.undo_error } : {}),
      ...(saga.deadline ? { deadline: timestampFromDate(saga.deadline) } : {}),
      createdAt: timestampFromDate(saga.created_at),
      updatedAt: timestampFromDate(saga.updated_at),
      cursor: saga.cursor,
    };
  }
}
