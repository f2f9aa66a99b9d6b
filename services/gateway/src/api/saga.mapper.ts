import type { operationsV1 } from '@ragmesh/contracts';
import type { z } from 'zod';
import { time } from './dead-letter.mapper.js';
import type { sagaDetail, sagaSchema } from './saga.schema.js';

type SagaBody = z.input<typeof sagaSchema>;
type DetailBody = z.input<typeof sagaDetail>;

const failure = (error: operationsV1.SagaError | undefined): SagaBody['error'] =>
  error ? { code: error.code, message: error.message } : null;

export const sagaBody = (saga: operationsV1.Saga): SagaBody => ({
  id: saga.id,
  tenant: saga.tenant,
  service: saga.service,
  kind: saga.kind,
  state: saga.state as SagaBody['state'],
  step: saga.step,
  attempts: saga.attempts,
  overdue: saga.overdue,
  error: failure(saga.error),
  compensation_error: failure(saga.compensationError),
  deadline: time(saga.deadline),
  created_at: time(saga.createdAt),
  updated_at: time(saga.updatedAt),
});

export const sagaDetailBody = (detail: operationsV1.SagaDetail): DetailBody => ({
  ...sagaBody(detail.saga!),
  data: (detail.data ?? {}) as DetailBody['data'],
  trace_id: detail.traceId,
  timeline: detail.timeline.map(({ step, status, detail: code, at }) => ({
    step,
    status,
    detail: code || null,
    at: time(at),
  })),
});
