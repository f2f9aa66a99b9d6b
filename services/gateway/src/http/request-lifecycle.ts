import { DEFAULT_TENANT } from '@ragmesh/contracts';
import {
  ANONYMOUS,
  SpanKind,
  counter,
  extractTrace,
  histogram,
  inContext,
  startSpan,
  traceContext,
  type Logger,
  type RequestContext,
} from '@ragmesh/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Principal } from '../auth/principal.js';
import { principalsOf } from '../auth/principals.js';
import { roles } from '../auth/roles.js';
import { accessTo } from '../auth/route-roles.js';
import { uncountedSlot, type Admission, type Slot } from './admission.js';
import { requestIdFrom } from './request-id.js';
import { findScope, scopeOf, setScope, type RequestScope } from './request-scope.js';

const probes = new Set(['/healthz', '/readyz', '/metrics', '/health', '/health/live', '/health/ready']);

/**
 * Gives every request its id, context, span, place, log line and figures, from its first byte to the close of its response.
 * @param unnamed whom requests are for until their credential was seen.
 */
export function trackRequests(
  server: FastifyInstance,
  admission: Admission,
  logger: Logger,
  unnamed: Pick<Principal, 'tenant' | 'roles'> = { tenant: DEFAULT_TENANT, roles },
): void {
  server.addHook('onRequest', (request, reply, done) => {
    const started = performance.now();
    const operation = request.routeOptions.url ?? 'unmatched';
    const requestId = requestIdFrom(request.headers['x-request-id']);
    const { span, context } = startSpan(`${request.method} ${operation}`, {
      kind: SpanKind.SERVER,
      parent: extractTrace(traceHeaders(request)),
      attributes: { 'http.request.method': request.method, 'http.route': operation, 'url.scheme': 'http' },
    });
    reply.header('x-request-id', requestId);
    const anonymous: RequestContext = {
      ...{ requestId, tenant: unnamed.tenant, subject: ANONYMOUS },
      principals: principalsOf({ subject: ANONYMOUS, roles: unnamed.roles }),
    };
    const run = <T>(work: () => T): T =>
      traceContext.with(context, () => inContext(findScope(request)?.context ?? anonymous, work));
    const begin = (slot: Slot): RequestScope => {
      const scope: RequestScope = {
        requestId,
        traceId: span.spanContext().traceId,
        slot,
        clientLeft: leaveSignal(reply),
        context: anonymous,
        roles: unnamed.roles,
      };
      setScope(request, scope);
      reply.raw.once('close', () =>
        run(() => {
          scope.bodyRoom?.release();
          slot.release();
          finish({ request, reply, scope, operation, seconds: (performance.now() - started) / 1000 }, logger);
          span.setAttribute('http.response.status_code', reply.raw.statusCode);
          if (scope.errorCode && reply.raw.statusCode >= 500) span.setAttribute('error.type', scope.errorCode);
          span.end();
        }),
      );
      return scope;
    };
    run(() => {
      try {
        begin(probes.has(operation) ? uncountedSlot : admission.admit(operation));
      } catch (error) {
        begin(uncountedSlot);
        return done(error as Error);
      }
      done();
    });
  });
}

/**
 * Has a request count as work only from when its body is there until its answer is: how slowly callers send and read must not
 * look like a busy server. An answer that anybody may have, and a refusal, hold no place at all while they are not taken.
 */
export function countWork(server: FastifyInstance): void {
  server.addHook('preValidation', async (request) => findScope(request)?.slot.begin());
  server.addHook('onSend', (request, reply, payload, done) => {
    const { slot, clientLeft } = scopeOf(reply);
    slot.answered(reply.statusCode === 200 && !clientLeft.aborted);
    const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload);
    const { method, routeOptions } = request;
    const isForAnybody = accessTo(method, routeOptions.url ?? '') === 'open';
    if (isWhole && (isForAnybody || reply.statusCode >= 400)) slot.release();
    done();
  });
}

function traceHeaders({ headers }: FastifyRequest): Record<string, string> {
  const { traceparent, tracestate } = headers;
  return {
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    ...(typeof tracestate === 'string' ? { tracestate } : {}),
  };
}

function leaveSignal({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

interface Served {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly scope: RequestScope;
  readonly operation: string;
  readonly seconds: number;
}

/** The line names the route, never the URL: ids and query strings can hold what a person typed. */
function finish({ request, reply, scope, operation, seconds }: Served, logger: Logger): void {
  const left = scope.clientLeft.aborted;
  const status = left && !reply.raw.headersSent ? 499 : reply.raw.statusCode;
  counter('rag_requests_total').inc({ operation, status: String(status) });
  histogram('rag_request_latency_seconds').observe({ operation }, seconds);
  if (scope.errorCode) counter('rag_errors_total').inc({ type: scope.errorCode });
  const level = probes.has(operation) ? 'debug' : 'info';
  logger[level](
    {
      method: request.method,
      route: operation,
      status,
      duration_ms: Math.round(seconds * 1e4) / 10,
      ...(scope.errorCode ? { code: scope.errorCode } : {}),
      ...(left ? { client_left: true } : {}),
    },
    'Request served',
  );
}
