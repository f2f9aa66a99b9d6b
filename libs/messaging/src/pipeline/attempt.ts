import { RagmeshError } from '@ragmesh/errors';
import { EVERYTHING, SpanKind, extractTrace, histogram, inContext, withSpan } from '@ragmesh/observability';
import type { BusRecord } from '../driver/bus-driver.js';
import type { Message } from '../envelope/message.js';
import type { Delivery } from '../handling/delivery.js';
import type { DeliveryJournal } from '../handling/delivery-journal.js';
import type { EventHandler } from '../handling/event-handler.js';
import type { HandlerResult } from '../handling/handler-result.js';

interface AttemptInput {
  readonly service: string;
  readonly record: BusRecord;
  readonly handler: EventHandler;
  readonly message: Message;
  readonly attempt: number;
  readonly owned: AbortSignal;
  readonly journal: DeliveryJournal;
  readonly waiting: Pick<Delivery, 'standAside' | 'goOn'>;
}

/** One attempt: inside the trace and the tenant of the event, aborted at the handler's deadline. */
export async function runAttempt(input: AttemptInput): Promise<HandlerResult> {
  const { service, record, handler, message } = input;
  const attributes = {
    'messaging.operation.type': 'process',
    'messaging.destination.name': record.topic,
    'messaging.message.id': message.id,
    'ragmesh.service': service,
    'ragmesh.handler': handler.id,
    'ragmesh.attempt': input.attempt,
  };
  const span = { kind: SpanKind.CONSUMER, attributes, parent: extractTrace(record.headers) };
  const { correlationId: requestId, tenant, actor: subject } = message;
  const context = { requestId, tenant, subject, principals: [EVERYTHING] }; // a service works on what it is told of
  return inContext(context, () => withSpan(`process ${message.type}`, span, () => timed(input)));
}

/** Inside the span, so that the figure leads to the trace. */
async function timed(input: AttemptInput): Promise<HandlerResult> {
  const labels = { service: input.service, handler: input.handler.id };
  const stopTimer = histogram('ragmesh_event_duration_seconds').startTimer(labels);
  try {
    return await beforeDeadline(input);
  } finally {
    stopTimer();
  }
}

async function beforeDeadline(input: AttemptInput): Promise<HandlerResult> {
  const { handler, message, attempt, owned, journal, waiting } = input;
  const late = new AbortController();
  const signal = AbortSignal.any([owned, late.signal]);
  let committed = false;
  const delivery: Delivery = {
    attempt,
    signal,
    ...waiting,
    commit: async (...effect) => {
      signal.throwIfAborted();
      const result = await journal.commit(handler, message, ...effect);
      committed = true;
      return result;
    },
  };
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const text = `${handler.id} did not end within ${handler.deadlineSeconds} s.`;
      const error = new RagmeshError('REQUEST.TIMEOUT', text, { handler: handler.id });
      late.abort(error);
      reject(error);
    }, handler.deadlineSeconds * 1000);
  });
  try {
    const result = await Promise.race([handler.handle(message, delivery), deadline]);
    if (!committed) await journal.commit(handler, message, () => Promise.resolve(result));
    return result;
  } finally {
    clearTimeout(timer);
  }
}
