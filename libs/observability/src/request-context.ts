import { AsyncLocalStorage } from 'node:async_hooks';
import { EVERYTHING } from './access.js';

/** Who and what the running work is for; follows it through promises, calls and events. */
export interface RequestContext {
  readonly requestId: string;
  readonly tenant: string;
  /** User or key the request came from. */
  readonly subject: string;
  /** Whom access lists may name to let this work read; without it, only what everyone of the tenant may read. */
  readonly principals?: readonly string[];
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work` so that logs, outgoing calls and published events carry `context`. */
export const inContext = <T>(context: RequestContext, work: () => T): T => storage.run(context, work);

/** The context of the running work; undefined in background work that nobody asked for. */
export const currentContext = (): RequestContext | undefined => storage.getStore();

/**
 * The tenant of the running work.
 * @throws Error outside of any request: a programming error, since every row carries its tenant.
 */
export function currentTenant(): string {
  const context = storage.getStore();
  if (!context) throw new Error('No request context: work on tenant data must run inside inContext()');
  return context.tenant;
}

/** Whom access lists may name to let the running work read. */
export const currentPrincipals = (): readonly string[] => storage.getStore()?.principals ?? [];

/** Runs `work` for the same tenant and request, but as the service's own: no access list stands in its way. */
export function asService<T>(work: () => T): T {
  const context = storage.getStore();
  return context ? storage.run({ ...context, principals: [EVERYTHING] }, work) : work();
}
