import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { inContext } from '@ragmesh/observability';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findScope } from '../http/request-scope.js';
import type { Authentication } from './authentication.js';
import { principalsOf } from './principals.js';
import { hasRole, type Role } from './roles.js';
import { accessTo, furtherAccessTo, type Access } from './route-roles.js';

/**
 * Finds out who calls before a byte of the body is read, and has everything after it run as the credential's tenant: gRPC
 * calls, events and log lines take the tenant from there. What the caller may do {@link refuseOthers} decides; what stands
 * between the two knows the caller, also of requests that are then refused.
 */
export function identifyCallers(server: FastifyInstance, authentication: Authentication): void {
  if (!authentication.isOn) return;
  server.addHook('onRequest', (request, reply, done) => {
    if (accessOf(request) === 'open') return done();
    identify(request, authentication).then(
      (context) => inContext(context, done),
      (error: unknown) => {
        challenge(reply, error);
        done(error as Error);
      },
    );
  });
}

/** Lets nobody past who may not call the route. */
export function refuseOthers(server: FastifyInstance, authentication: Authentication): void {
  if (!authentication.isOn) return;
  server.addHook('onRequest', (request, reply, done) => {
    const access = accessOf(request);
    if (access === 'open') return done();
    const permitted = [access, furtherAccessOf(request)].filter((role) => role !== undefined);
    if (permitted.some((role) => hasRole(findScope(request)!.roles, role))) return done();
    const needed = access === undefined ? 'a role that nobody has' : `the role ${access}`;
    const error = new RagmeshError('AUTH.FORBIDDEN', `This route needs ${needed}.`, access && { role: access });
    challenge(reply, error);
    done(error);
  });
}

/** Without a route there is only a 404, which needs no credential. */
const accessOf = ({ method, routeOptions: { url } }: FastifyRequest): Access | undefined =>
  url === undefined ? 'open' : accessTo(method, url);

const furtherAccessOf = ({ method, routeOptions: { url } }: FastifyRequest): Role | undefined =>
  url === undefined ? undefined : furtherAccessTo(method, url);

/** The context of the request as its caller's. @throws RagmeshError AUTH.*. */
async function identify(request: FastifyRequest, authentication: Authentication) {
  const { tenant, ...principal } = await authentication.authenticate(request.headers, request.ip);
  const { subject, roles } = principal;
  const scope = findScope(request)!;
  scope.context = { requestId: scope.requestId, tenant, subject, principals: principalsOf(principal) };
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
