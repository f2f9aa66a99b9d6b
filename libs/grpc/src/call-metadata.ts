import { Metadata } from '@grpc/grpc-js';
import { currentContext, injectTrace, type RequestContext } from '@ragmesh/observability';

const names = { tenant: 'x-ragmesh-tenant', subject: 'x-ragmesh-subject', requestId: 'x-request-id' } as const;

/** Metadata of an outgoing call: tenant, subject, request id and trace of the running work. */
export function outgoingMetadata(): Metadata {
  const metadata = new Metadata();
  const context = currentContext();
  if (context) {
    metadata.set(names.tenant, context.tenant);
    metadata.set(names.subject, context.subject);
    metadata.set(names.requestId, context.requestId);
  }
  for (const [name, value] of Object.entries(injectTrace())) metadata.set(name, value);
  return metadata;
}

const first = (metadata: Metadata, name: string): string => String(metadata.get(name)[0] ?? '');

/** The request context a call came with; undefined when its caller named no tenant. */
export function incomingContext(metadata: Metadata): RequestContext | undefined {
  const tenant = first(metadata, names.tenant);
  if (!tenant) return undefined;
  return { tenant, subject: first(metadata, names.subject), requestId: first(metadata, names.requestId) };
}

/** Trace headers of a call. */
export const incomingTrace = (metadata: Metadata): Record<string, string> => ({
  traceparent: first(metadata, 'traceparent'),
  tracestate: first(metadata, 'tracestate'),
});
