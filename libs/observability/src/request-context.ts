import { AsyncLocalStorage } from 'node:async_hooks';

/** Who and what the running work is for; follows it through promises, calls and events. */
export interface RequestContext {
  readonly requestId: string;
  readonly tenant: string;
  /** User or key the request came from. */
  readonly subject: string;
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
