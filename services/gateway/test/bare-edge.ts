import { createLogger } from '@ragmesh/observability';
import { fastify, type FastifyInstance } from 'fastify';
import { Admission, type AdmissionLimits } from '../src/http/admission.js';
import { serveOneAtATime } from '../src/http/one-at-a-time.js';
import { countWork, trackRequests } from '../src/http/request-lifecycle.js';
import { hangUpOnSlowClients, type Patience } from '../src/http/slow-clients.js';

/** What stands before every route of the gateway, for routes that a test makes as fast, slow or large as it needs them. */
export async function startBareEdge(
  limits: AdmissionLimits,
  patience: Partial<Patience>,
  addRoutes: (server: FastifyInstance) => void,
): Promise<{ url: string; server: FastifyInstance }> {
  const server = fastify();
  serveOneAtATime(server);
  trackRequests(server, new Admission(limits), createLogger('gateway', 'error'));
  countWork(server);
  hangUpOnSlowClients(server, { bodyMs: 300_000, streamMs: 300_000, ...patience });
  server.decorateRequest('isMultipart', () => false);
  server.setErrorHandler(async (error: Error, _request, reply) => reply.status(503).send(error.message));
  addRoutes(server);
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  return { url, server };
}
