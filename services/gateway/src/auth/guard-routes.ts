import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { inContext } from '@ragmesh/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findScope } from '../http/request-scope.js';
import type { Authentication } from './authentication.js';
import { hasRole, type Role } from './roles.js';
import { accessTo, type Access } from './route-roles.js';

/**
 * Lets nobody past who may not call the route, before a byte of the body is read, and has everything after it run as the
 * credential's tenant: gRPC calls, events and log lines take the tenant from there.
 */
export function guardRoutes(server: FastifyInstance, authentication: Authentication): void {
  if (!authentication.isOn) return;
  server.addHook('onRequest', (request, reply, done) => {
    const { url } = request.routeOptions;
    const access = url === undefined ? 'open' : accessTo(request.method, url); // without a route there is only a 404
    if (access === 'open') return done();
    admit(request, access, authentication).then(
      (context) => inContext(context, done),
      (error: unknown) => {
        challenge(reply, error);
        done(error as Error);
      },
    );
  });
}

/** The context of the request as its caller's. @throws RagmeshError AUTH.*. */
async function admit(request: FastifyRequest, access: Access | undefined, authentication: Authentication) {
  const { tenant, subject, roles } = await authentication.authenticate(request.headers, request.ip);
  if (access === undefined || !hasRole(roles, access as Role)) {
    const needed = access === undefined ? 'a role that nobody has' : `the role ${access}`;
    throw new RagmeshError(
      'AUTH.FORBIDDEN',
      `This route needs ${needed}.`,
      access === undefined ? {} : { role: access },
    );
  }
  const scope = findScope(request)!;
  scope.context = { requestId: scope.requestId, tenant, subject };
  scope.roles = roles;
  return scope.context;
}

/** RFC 6750 §3: what a client should send, and what was wrong with what it sent. */
function challenge(reply: FastifyReply, error: unknown): void {
  if (!isRagmeshError(error)) return;
  const { code, details } = error;
  const realm = 'Bearer realm="ragmesh"';
  if (code === 'AUTH.REQUIRED') void reply.header('www-authenticate', realm);
  if (code === 'AUTH.INVALID') void reply.header('www-authenticate', `${realm}, error="invalid_token"`);
  if (code === 'AUTH.FORBIDDEN')
    void reply.header(
      'www-authenticate',
      `${realm}, error="insufficient_scope"${details['role'] ? `, scope="${details['role']}"` : ''}`,
    );
}
