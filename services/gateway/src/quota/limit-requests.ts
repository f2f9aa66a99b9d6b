import type { FastifyInstance } from 'fastify';
import { hasRole } from '../auth/roles.js';
import { accessTo } from '../auth/route-roles.js';
import { findScope } from '../http/request-scope.js';
import type { Quotas } from './quotas.js';
import { rateLimitHeaders } from './quota-state.js';

/** Never refused to whom they are for: what is scraped, and what somebody who ran out needs to get more. */
const unlimited: ReadonlySet<string> = new Set(['/metrics', '/v1/admin/quotas', '/v1/admin/keys/:id/quota']);

/** Counts every request that needs a credential against its caller's quotas, and says on each answer what is left. */
export function limitRequests(server: FastifyInstance, quotas: Quotas): void {
  server.addHook('onRequest', async (request, reply) => {
    const { url } = request.routeOptions;
    if (url === undefined) return;
    const access = accessTo(request.method, url);
    if (access === 'open') return;
    const { context, roles } = findScope(request)!;
    // Everybody else is refused there, too, and each such refusal is recorded for good.
    if (unlimited.has(url) && access !== undefined && hasRole(roles, access)) return;
    const { states, refusal } = await quotas.admit(context);
    void reply.headers(rateLimitHeaders(states));
    if (refusal) throw refusal;
  });
}
