import type { Role } from './roles.js';

/** The role a route asks for; `open` asks for no credential at all. */
export type Access = Role | 'open';

/**
 * Every route of the edge, in the router's syntax, and who may call it. A route that is missing here is refused to everyone
 * while authentication is on, and fails a spec.
 */
export const routeRoles: Readonly<Record<string, Access>> = {
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /health': 'open',
  'GET /health/live': 'open',
  'GET /health/ready': 'open',
  'GET /openapi.json': 'open',
  'GET /asyncapi.json': 'open',
  'GET /docs': 'open',
  'GET /metrics': 'operator',

  'POST /v1/documents': 'writer',
  'GET /v1/documents': 'reader',
  'GET /v1/documents/:id': 'reader',
  'PUT /v1/documents/:id': 'writer',
  'DELETE /v1/documents/:id': 'writer',
  'GET /v1/documents/:id/content': 'reader',
  'GET /v1/documents/:id/chunks': 'reader',
  'GET /v1/documents/:id/timeline': 'reader',
  'POST /v1/documents/:id/retry': 'writer',
  'POST /v1/documents/:id/cancel': 'writer',
  'PUT /v1/documents/:id/access': 'writer',
  'GET /v1/operations/:id': 'reader',
  'GET /v1/operations/:id/events': 'reader',

  'POST /v1/collections': 'admin',
  'GET /v1/collections': 'reader',
  'GET /v1/collections/:id': 'reader',
  'PATCH /v1/collections/:id': 'admin',
  'DELETE /v1/collections/:id': 'admin',
  'PUT /v1/collections/:id/access': 'admin',
  'POST /v1/collections/:id/reindex': 'admin',
  'POST /v1/collections/:id/reindex/abort': 'admin',
  'GET /v1/collections/:id/generations': 'reader',
  'POST /v1/collections/:id/generations/:generation/rollback': 'admin',
  'DELETE /v1/collections/:id/generations/:generation': 'admin',

  'POST /v1/search': 'reader',
  'POST /v1/query': 'reader',
  'POST /v1/conversations': 'reader',
  'GET /v1/conversations': 'reader',
  'GET /v1/conversations/:id': 'reader',
  'DELETE /v1/conversations/:id': 'reader',
  'POST /v1/feedback': 'reader',
  'GET /v1/feedback': 'admin',
  'POST /v1/questions': 'reader',

  'POST /v1/admin/keys': 'admin',
  'GET /v1/admin/keys': 'admin',
  'GET /v1/admin/keys/:id': 'admin',
  'DELETE /v1/admin/keys/:id': 'admin',
  'DELETE /v1/admin/users/:id': 'admin',
  'GET /v1/admin/keys/:id/quota': 'admin',
  'PUT /v1/admin/keys/:id/quota': 'admin',
  'GET /v1/admin/quotas': 'admin',
  'PUT /v1/admin/quotas': 'operator',
  'GET /v1/admin/audit': 'admin',
  'GET /v1/admin/usage': 'admin',
  'GET /v1/admin/dead-letters': 'operator',
  'GET /v1/admin/dead-letters/:id': 'operator',
  'POST /v1/admin/dead-letters/replay': 'operator',
  'POST /v1/admin/dead-letters/discard': 'operator',
  'GET /v1/admin/sagas': 'operator',
  'GET /v1/admin/sagas/:id': 'operator',
  'POST /v1/admin/sagas/:id/resume': 'operator',
  'POST /v1/admin/sagas/:id/abort': 'operator',
  'GET /v1/admin/breakers': 'operator',
  'GET /v1/admin/settings': 'operator',
  'GET /v1/admin/flags': 'operator',
  'GET /v1/admin/flags/:name': 'operator',
  'PUT /v1/admin/flags/:name': 'operator',
  'GET /v1/admin/models': 'operator',
  'POST /v1/admin/models/load': 'operator',
  'POST /v1/admin/models/unload': 'operator',
  'POST /v1/admin/models/pin': 'operator',
  'POST /v1/admin/cache/warm': 'operator',
  'POST /v1/admin/cache/clear': 'operator',

  'POST /v1/chat/completions': 'reader',
  'POST /v1/embeddings': 'reader',
  'GET /v1/models': 'reader',
  'GET /v1/models/:id': 'reader',
  'GET /v1/models/:owner/:name': 'reader',
  'POST /query': 'reader',
  'POST /query/stream': 'reader',
  'POST /index': 'writer',
  'POST /reindex': 'admin',
  'POST /documents': 'writer',
  'POST /api/v1/query': 'reader',
  'POST /api/v1/documents': 'writer',
  'GET /api/v1/documents/:id': 'reader',
  'POST /api/chat/generate-questions': 'reader',
};

/** A role that may call a route beside the one above; what each of the two gets there, the route decides. */
const furtherRoles: Readonly<Record<string, Role>> = { 'GET /v1/admin/usage': 'operator' };

/** @returns undefined for a route that only its own role may call. */
export const furtherAccessTo = (method: string, url: string): Role | undefined => furtherRoles[`${method} ${url}`];

/** @returns undefined for a route that has no entry. */
export const accessTo = (method: string, url: string): Access | undefined =>
  routeRoles[`${method === 'HEAD' ? 'GET' : method} ${url}`];
