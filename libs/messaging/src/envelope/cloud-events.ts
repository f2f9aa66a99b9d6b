import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import { contentTypeOf, encodePayload, type EventSpec } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '../driver/bus-driver.js';
import { checkSignature, withSignature } from './event-signature.js';
import type { Message } from './message.js';

type Headers = Readonly<Record<string, string>>;

/** Where a new event stands in the chain of causes. */
export interface EventContext {
  readonly source: string;
  readonly tenant: string;
  /** Who did what the event tells of: a user, a key, or a service of its own accord. */
  readonly actor: string;
  readonly correlationId: string;
  readonly causationId?: string;
  /** Trace context headers (`traceparent`, `tracestate`) of the span that publishes. */
  readonly trace: Headers;
}

/** An event ready for an outbox: bytes and headers in CloudEvents 1.0 Kafka binary mode. */
export interface EncodedEvent {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly headers: Headers;
  readonly value: Uint8Array;
}

/** Builds the signed record of an event about `subject`. Pure but for the id and time it stamps. */
export function encodeEvent<Desc extends DescMessage>(
  spec: EventSpec<Desc>,
  subject: string,
  payload: MessageInitShape<Desc>,
  context: EventContext,
): EncodedEvent {
  const id = uuidv7();
  const headers: Record<string, string> = {
    ce_id: id,
    ce_source: context.source,
    ce_type: spec.type,
    ce_specversion: '1.0',
    ce_time: new Date().toISOString(),
    ce_subject: subject,
    ce_tenant: context.tenant,
    ce_actor: context.actor,
    ce_correlation: context.correlationId,
    'content-type': contentTypeOf(spec),
    ...context.trace,
  };
  if (context.causationId) headers['ce_causation'] = context.causationId;
  const value = encodePayload(spec, create(spec.schema, payload));
  return { id, topic: spec.topic, key: subject, headers: withSignature(headers, value), value };
}

const required = ['ce_id', 'ce_type', 'ce_source', 'ce_subject', 'ce_tenant', 'ce_time'] as const;

/**
 * Reads the envelope. The payload is not decoded, but has to be the one that was signed.
 * @throws RagmeshError EVENT.UNSIGNED for one that no service of this installation wrote, EVENT.INVALID when a required attribute
 * is missing, EVENT.VERSION_UNSUPPORTED for another major version of CloudEvents.
 */
export function readEnvelope({ headers, value }: Pick<BusRecord, 'headers' | 'value'>): Omit<Message, 'payload'> {
  const missing = required.filter((name) => !headers[name]);
  if (missing.length > 0) throw new RagmeshError('EVENT.INVALID', `The event lacks ${missing.join(', ')}.`);
  if (headers['ce_specversion'] !== '1.0') {
    throw new RagmeshError('EVENT.VERSION_UNSUPPORTED', 'The event is not a CloudEvents 1.0 event.');
  }
  checkSignature(headers, value);
  const time = new Date(headers['ce_time']!);
  if (Number.isNaN(time.getTime())) throw new RagmeshError('EVENT.INVALID', 'The event has no valid ce_time.');
  return {
    id: headers['ce_id']!,
    type: headers['ce_type']!,
    source: headers['ce_source']!,
    subject: headers['ce_subject']!,
    tenant: headers['ce_tenant']!,
    actor: headers['ce_actor'] || headers['ce_source']!.slice('/ragmesh/'.length),
    correlationId: headers['ce_correlation'] ?? headers['ce_id']!,
    ...(headers['ce_causation'] ? { causationId: headers['ce_causation'] } : {}),
    time,
  };
}
