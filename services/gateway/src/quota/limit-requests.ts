import type { FastifyInstance } from 'fastify';
import { accessTo } from '../auth/route-roles.js';
import { findScope } from '../http/request-scope.js';
import type { Quotas } from './quotas.js';
import { rateLimitHeaders } from './quota-state.js';

/** Never refused: what is scraped, and what somebody who ran out needs to get more. */
const unlimited: ReadonlySet<string> = new Set(['/metrics', '/v1/admin/quotas', '/v1/admin/keys/:id/quota']);

/** Counts every request that needs a credential against its caller's quotas, and says on each answer what is left. */
export function limitRequests(server: FastifyInstance, quotas: Quotas): void {
  server.addHook('onRequest', async (request, reply) => {
    const { url } = request.routeOptions;
    if (url === undefined || unlimited.has(url) || accessTo(request.method, url) === 'open') return;
    const { states, refusal } = await quotas.admit(findScope(request)!.context);
    void reply.headers(rateLimitHeaders(states));
    if (refusal) throw refusal;
  });
}
