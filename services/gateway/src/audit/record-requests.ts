import type { FastifyInstance, FastifyRequest } from 'fastify';
import { v7 as uuidv7 } from 'uuid';
import { tenantPattern } from '@ragmesh/contracts';
import { hasRole } from '../auth/roles.js';
import { findScope, type RequestScope } from '../http/request-scope.js';
import type { AuditEntry } from './audit-entry.js';
import type { AuditTrail } from './audit-trail.js';
import { isAudited, isChange, namesTenantInBody } from './audited-routes.js';
import { madeIds } from './made-ids.js';

const MAX_TARGET = 400;
const CLIENT_LEFT = 499;

interface Recording {
  entry: AuditEntry;
  made: readonly string[];
  /** Not recorded yet: the body says which tenant it is done to. */
  isWaiting: boolean;
}

/**
 * Records every change and every administrator's reading, by the catalogue of routes and before anything is done. Comes after
 * the caller is known and within quotas, and before roles are asked for: what was tried in vain is recorded, too. Nothing of
 * any body is kept but the id of what was made, and the tenant an operator names.
 */
export function recordRequests(server: FastifyInstance, trail: AuditTrail): void {
  const recordings = new WeakMap<object, Recording>();
  server.addHook('onRequest', async (request, reply) => {
    const { url } = request.routeOptions;
    if (url === undefined || !isAudited(request.method, url)) return;
    const scope = findScope(request)!;
    const entry = entryOf(request, url, scope);
    const isWaiting = namesTenantInBody(request.method, url) && mayChoose(scope);
    const recording: Recording = { entry, made: [], isWaiting };
    if (!isWaiting) await (isChange(request.method) ? trail.recordChange(entry) : trail.recordReading(entry));
    recordings.set(request.raw, recording);
    const noteOutcome = (): void => {
      if (recording.isWaiting) void trail.recordReading(entry);
      const { id, tenant } = entry;
      const status = reply.raw.headersSent ? reply.raw.statusCode : CLIENT_LEFT;
      trail.noteOutcome({ id, tenant, status, code: scope.errorCode ?? null, made: recording.made });
    };
    // A client may have left while the entry was written, and a close that was is not told again.
    if (reply.raw.closed) noteOutcome();
    else reply.raw.once('close', noteOutcome);
  });
  server.addHook('preHandler', async (request) => {
    const recording = recordings.get(request.raw);
    if (!recording?.isWaiting) return;
    const named = (request.body as Record<string, unknown> | null | undefined)?.['tenant'];
    recording.entry = { ...recording.entry, onTenant: chosen(named) ?? recording.entry.onTenant };
    recording.isWaiting = false;
    await trail.recordChange(recording.entry);
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const recording = recordings.get(request.raw);
    if (recording && reply.statusCode < 300 && isChange(request.method)) recording.made = madeIds(payload);
    if (!recording?.isWaiting) return done(null, payload);
    recording.isWaiting = false; // refused before its body could be read: nothing was done
    trail.recordReading(recording.entry).then(() => done(null, payload), done);
  });
}

/** Whether the caller may name another tenant; others must not write into a stranger's trail. */
const mayChoose = ({ roles }: RequestScope): boolean => hasRole(roles, 'operator');

/** @returns undefined for what can be no tenant's name. */
const chosen = (named: unknown): string | undefined =>
  typeof named === 'string' && tenantPattern.test(named) ? named : undefined;

function entryOf(request: FastifyRequest, url: string, scope: RequestScope): AuditEntry {
  const { context, requestId, traceId } = scope;
  const named = (request.query as Record<string, unknown> | undefined)?.['tenant'];
  return {
    id: uuidv7(),
    tenant: context.tenant,
    onTenant: (mayChoose(scope) ? chosen(named) : undefined) ?? context.tenant,
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
