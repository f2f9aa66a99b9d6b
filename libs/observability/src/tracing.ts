import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  context,
  propagation,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { isRagmeshError } from '@ragmesh/errors';

const tracer = trace.getTracer('ragmesh');

type Carrier = Record<string, string>;

/** Trace context of the running span as headers (`traceparent`, `tracestate`). */
export function injectTrace(): Carrier {
  const carrier: Carrier = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** The context a carrier's headers describe; a root context when they describe none. */
export const extractTrace = (carrier: Readonly<Carrier>): Context => propagation.extract(ROOT_CONTEXT, carrier);

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** Parent other than the running span: the remote side of a call or event. */
  readonly parent?: Context;
}

/** Runs `work` inside a span; a failure marks the span with its code, never with document text. */
export async function withSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const parent = options.parent ?? context.active();
  const span = tracer.startSpan(
    name,
    { kind: options.kind ?? SpanKind.INTERNAL, attributes: options.attributes ?? {} },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    markFailed(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Starts a span whose end the caller decides: a stream that outlives the function that began it. */
export function startSpan(name: string, options: SpanOptions): { span: Span; context: Context } {
  const parent = options.parent ?? context.active();
  const span = tracer.startSpan(
    name,
    { kind: options.kind ?? SpanKind.INTERNAL, attributes: options.attributes ?? {} },
    parent,
  );
  return { span, context: trace.setSpan(parent, span) };
}

export function markFailed(span: Span, error: unknown): void {
  const code = isRagmeshError(error) ? error.code : error instanceof Error ? error.name : 'unknown';
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
}

/** Trace id of the running span; empty when nothing is traced. */
export const currentTraceId = (): string => trace.getActiveSpan()?.spanContext().traceId ?? '';

/** Runs what a machine asks all day, and nobody wants to see in a trace. */
export const untraced = <T>(work: () => T): T => context.with(suppressTracing(ROOT_CONTEXT), work);

export { SpanKind, context as traceContext, type Span };
