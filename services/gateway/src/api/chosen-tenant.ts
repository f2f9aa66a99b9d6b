import { RagmeshError } from '@ragmesh/errors';
import { inContext } from '@ragmesh/observability';
import type { FastifyReply } from 'fastify';
import { hasRole, type Role } from '../auth/roles.js';
import { scopeOf } from '../http/request-scope.js';

/**
 * Works in another tenant where an operator asks for it.
 * @throws RagmeshError AUTH.FORBIDDEN for everyone else, whether there is such a tenant or not.
 */
export function inTenant<T>(tenant: string | undefined, reply: FastifyReply, work: () => Promise<T>): Promise<T> {
  const { context, roles } = scopeOf(reply);
  if (tenant === undefined || tenant === context.tenant) return work();
  if (!hasRole(roles, 'operator')) throw forbidden('Only operators administer other tenants.', 'operator');
  return inContext({ ...context, tenant }, work);
}

/** In place of a tenant's name, which it cannot be: all tenants. */
export const ALL_TENANTS = '*';

/**
 * As {@link inTenant}, for lists that operators can also have of all tenants.
 * @param work is told whether they are wanted.
 */
export function inTenants<T>(
  tenant: string | undefined,
  reply: FastifyReply,
  work: (allTenants: boolean) => Promise<T>,
): Promise<T> {
  if (tenant !== ALL_TENANTS) return inTenant(tenant, reply, () => work(false));
  if (!hasRole(scopeOf(reply).roles, 'operator')) throw forbidden('Only operators look at all tenants.', 'operator');
  return work(true);
}

export const forbidden = (sentence: string, role: Role): RagmeshError =>
  new RagmeshError('AUTH.FORBIDDEN', sentence, { role });
