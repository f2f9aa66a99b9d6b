import multipart from '@fastify/multipart';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { LOGGER } from '@ragmesh/bootstrap';
import { RagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import type { FastifyInstance } from 'fastify';
import { Authentication } from '../auth/authentication.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { recordRequests } from '../audit/record-requests.js';
import { identifyCallers, refuseOthers } from '../auth/guard-routes.js';
import { NO_TENANT } from '../auth/principal.js';
import type { GatewayConfig } from '../gateway.config.js';
import { limitRequests } from '../quota/limit-requests.js';
import { Quotas } from '../quota/quotas.js';
import { Admission } from './admission.js';
import { boundBodies } from './body-memory.js';
import { raiseBodyLimit, refuseEncodedBodies, refuseStrayForms, useBodyParsers } from './body-parsers.js';
import { refuseForeignPages } from './local-callers.js';
import { serveOneAtATime } from './one-at-a-time.js';
import { ProblemFilter } from './problem.filter.js';
import { countWork, trackRequests } from './request-lifecycle.js';
import { RouteMethods } from './route-methods.js';
import { useSecurityHeaders } from './security-headers.js';
import { hangUpOnSlowClients } from './slow-clients.js';
import { refuseUnstorableQueries } from './storable-values.js';
import { answerUnreadableRequests } from './unreadable-requests.js';

/** What nobody will handle is refused before its body is read: no length, type or syntax of it can change the answer. */
function refuseUnknownRoutes(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    done(request.is404 ? new RagmeshError('REQUEST.NOT_FOUND', 'This server has no such route.') : undefined);
  });
}

/** What stands between the socket and the controllers. Runs before any route exists. */
export async function configureHttp(app: NestFastifyApplication, config: GatewayConfig): Promise<void> {
  const server = app.getHttpAdapter().getInstance();
  const logger = app.get<Logger>(LOGGER);
  const routes = app.get(RouteMethods);
  const admission = new Admission({
    requests: config.MAX_CONCURRENT_REQUESTS,
    streams: config.MAX_OPEN_STREAMS,
    searchMs: config.SEARCH_LATENCY_TARGET * 1000,
  });
  const authentication = app.get(Authentication);
  serveOneAtATime(server);
  trackRequests(server, admission, logger, authentication.isOn ? { tenant: NO_TENANT, roles: [] } : undefined);
  countWork(server);
  hangUpOnSlowClients(server, {
    bodyMs: config.REQUEST_TIMEOUT_SECONDS * 1000,
    streamMs: config.STREAM_TIMEOUT_SECONDS * 1000,
  });
  useSecurityHeaders(server);
  if (!authentication.isOn && !config.SERVER_TRUSTED_NETWORK) refuseForeignPages(server);
  identifyCallers(server, authentication);
  limitRequests(server, app.get(Quotas));
  recordRequests(server, app.get(AuditTrail));
  refuseOthers(server, authentication);
  refuseUnknownRoutes(server);
  server.addHook('onRoute', (route) => {
    raiseBodyLimit(route, config.JSON_DOCUMENT_MAX_BYTES);
    for (const method of [route.method].flat()) routes.add(method, route.url);
  });
  refuseEncodedBodies(server);
  boundBodies(server);
  useBodyParsers(app);
  await app.register(multipart, { throwFileSizeLimit: false });
  refuseStrayForms(server);
  refuseUnstorableQueries(server);
  answerUnreadableRequests(server);
  app.useGlobalFilters(app.get(ProblemFilter));
}
