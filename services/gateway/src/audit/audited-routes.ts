import { accessTo } from '../auth/route-roles.js';

/**
 * Routes that change nothing although they take a POST, and what machines read all day. Everything else that is no plain
 * reading is recorded, so a new route is recorded unless somebody excuses it here.
 */
export const excusedRoutes: ReadonlySet<string> = new Set([
  'GET /metrics',
  'POST /v1/search',
  'POST /v1/query',
  'POST /v1/questions',
  'POST /v1/chat/completions',
  'POST /v1/embeddings',
  'POST /query',
  'POST /query/stream',
  'POST /api/v1/query',
  'POST /api/chat/generate-questions',
]);

/** Routes that name in their body, and not in their query, the tenant they are done to. */
const tenantInBody: ReadonlySet<string> = new Set(['POST /v1/admin/keys']);

/** Whether the tenant something is done to is known only once the body was read. */
export const namesTenantInBody = (method: string, url: string): boolean => tenantInBody.has(`${method} ${url}`);

const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request of this method may change something. */
export const isChange = (method: string): boolean => !reads.has(method);

/** Whether what is done through a route is recorded: every change, and every reading that needs an administrator's role. */
export function isAudited(method: string, url: string): boolean {
  const access = accessTo(method, url);
  if (access === 'open' || excusedRoutes.has(`${method === 'HEAD' ? 'GET' : method} ${url}`)) return false;
  return isChange(method) || access === undefined || access === 'admin' || access === 'operator';
}
