import { Metadata } from '@grpc/grpc-js';
import { RagmeshError } from '@ragmesh/errors';
import { currentContext, injectTrace, serviceSignatures, type RequestContext } from '@ragmesh/observability';

const names = {
  tenant: 'x-ragmesh-tenant',
  subject: 'x-ragmesh-subject',
  principals: 'x-ragmesh-principals',
  requestId: 'x-request-id',
  expires: 'x-ragmesh-expires',
  signature: 'x-ragmesh-signature',
} as const;

/** How long a signature is taken, by the callee's clock as far as its caller knows it (`CalleeClock`): a call begins at once. */
const SIGNED_FOR_MS = 60_000;
const PURPOSE = 'grpc/2';

/** What a call is signed for. */
export interface CallTarget {
  /** The service that is called. */
  readonly audience: string;
  /** The method, as HTTP/2 has it: `/package.Service/Method`. */
  readonly path: string;
}

/**
 * Metadata of an outgoing call: whom the running work is for, signed for what is called, and its trace.
 * @param target undefined where nobody else can call, so that nothing has to be signed.
 * @param now by the clock of who is called.
 */
export function outgoingMetadata(target: CallTarget | undefined, now = Date.now()): Metadata {
  const metadata = new Metadata();
  const context = currentContext();
  if (context) {
    const { tenant, subject, requestId, principals = [] } = context;
    const expires = String(now + SIGNED_FOR_MS);
    const fields = { tenant, subject, principals: principals.join(','), requestId, expires };
    for (const [name, value] of Object.entries(fields)) metadata.set(names[name as keyof typeof fields], value);
    const signed = target && [target.audience, target.path, ...Object.values(fields)];
    if (signed) metadata.set(names.signature, serviceSignatures().sign(PURPOSE, signed));
  }
  for (const [name, value] of Object.entries(injectTrace())) metadata.set(name, value);
  return metadata;
}

/** Metadata given twice is nobody's: one part of the way may take the first, another the last. */
function only(metadata: Metadata, name: string): string {
  const values = metadata.get(name);
  return values.length === 1 ? String(values[0]) : '';
}

/**
 * Checks whom a call says it is for.
 * @param target this service, and the method that is called.
 * @throws RagmeshError AUTH.SERVICE_UNKNOWN unless a service of this installation signed it for exactly that, lately.
 */
export function checkCall(metadata: Metadata, { audience, path }: CallTarget, now = Date.now()): void {
  const of = (name: keyof typeof names): string => only(metadata, names[name]);
  const fields = [of('tenant'), of('subject'), of('principals'), of('requestId'), of('expires')];
  checkTenant(metadata);
  if (!serviceSignatures().holds(of('signature'), PURPOSE, [audience, path, ...fields]))
    throw refused('is not signed for it');
  if (!(Number(of('expires')) > now)) throw refused('was signed too long ago', { expired: true });
}

/** @throws RagmeshError AUTH.SERVICE_UNKNOWN for a call that is for nobody. */
export function checkTenant(metadata: Metadata): void {
  if (only(metadata, names.tenant) === '') throw refused('names no tenant');
}

/** The request context of a call that {@link checkCall} let in. */
export function incomingContext(metadata: Metadata): RequestContext {
  const of = (name: keyof typeof names): string => only(metadata, names[name]);
  const principals = of('principals');
  return {
    ...{ tenant: of('tenant'), subject: of('subject'), requestId: of('requestId') },
    principals: principals === '' ? [] : principals.split(','),
  };
}

const refused = (why: string, details: RagmeshError['details'] = {}): RagmeshError =>
  new RagmeshError('AUTH.SERVICE_UNKNOWN', `A call of the service ${why}.`, details);

/** Trace headers of a call. */
export const incomingTrace = (metadata: Metadata): Record<string, string> => ({
  traceparent: String(metadata.get('traceparent')[0] ?? ''),
  tracestate: String(metadata.get('tracestate')[0] ?? ''),
});
