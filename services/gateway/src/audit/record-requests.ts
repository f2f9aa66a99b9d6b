import type { FastifyInstance, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { tenantPattern } from '../auth/principal.js';
import { hasRole } from '../auth/roles.js';
import { findScope, type RequestScope } from '../http/request-scope.js';
import type { AuditEntry } from './audit-entry.js';
import type { AuditTrail } from './audit-trail.js';
import { isAudited, isChange } from './audited-routes.js';
import { madeIds } from './made-ids.js';

const MAX_TARGET = 400;
const CLIENT_LEFT = 499;

interface Recording {
  readonly entry: AuditEntry;
  made: readonly string[];
}

/**
 * Records every change and every administrator's reading, by the catalogue of routes and before anything is done. Comes after
 * the caller is known and within quotas, and before roles are asked for: what was tried in vain is recorded, too. Nothing of
 * any body is kept but the id of what was made.
 */
export function recordRequests(server: FastifyInstance, trail: AuditTrail): void {
  const recordings = new WeakMap<object, Recording>();
  server.addHook('onRequest', async (request, reply) => {
    const { url } = request.routeOptions;
    if (url === undefined || !isAudited(request.method, url)) return;
    const scope = findScope(request)!;
    const entry = entryOf(request, url, scope);
    await (isChange(request.method) ? trail.recordChange(entry) : trail.recordReading(entry));
    const recording: Recording = { entry, made: [] };
    recordings.set(request.raw, recording);
    reply.raw.once('close', () => {
      const { id, tenant } = entry;
      const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_LEFT;
      trail.noteOutcome({ id, tenant, status, code: scope.errorCode ?? null, made: recording.made });
    });
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const recording = recordings.get(request.raw);
    if (recording && reply.statusCode < 300 && isChange(request.method)) recording.made = madeIds(payload);
    done(null, payload);
  });
}

function entryOf(
  request: FastifyRequest,
  url: string,
  { context, roles, requestId, traceId }: RequestScope,
): AuditEntry {
  const named = (request.query as Record<string, unknown> | undefined)?.['tenant'];
  const mayChoose = hasRole(roles, 'operator'); // others must not write into a stranger's trail
  return {
    id: uuidv7(),
    tenant: context.tenant,
    onTenant: mayChoose && typeof named === 'string' && tenantPattern.test(named) ? named : context.tenant,
    actor: context.subject,
    action: `${request.method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`,
    target: targetOf(request.params as Record<string, string> | undefined),
    requestId,
    traceId,
  };
}

/** What the path names. A database takes neither NUL nor half a character. */
const targetOf = (params: Readonly<Record<string, string>> = {}): string =>
  Object.values(params)
    .join('/')
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, '\u{fffd}')
    .slice(0, MAX_TARGET)
    .toWellFormed();
