import { WORD, type Call, type Owned } from './two-tenants.js';

/** What is checked of a route: that another's id answers as a missing one, or that nothing of another tenant is to be seen. */
export interface TenantCase {
  /** What the id in the request is of; absent where a request holds none. */
  readonly owned?: keyof Owned;
  call(id: string): Omit<Call, 'method'>;
}

const at = (owned: keyof Owned, path: string, body?: (id: string) => unknown): TenantCase => ({
  owned,
  call: (id) => ({ path: path.replace(':id', id), ...(body ? { body: body(id) } : {}) }),
});
const blind = (path: string, body?: unknown): TenantCase => ({
  call: () => ({ path, ...(body === undefined ? {} : { body }) }),
});

const query = `What does the ${WORD} protocol pay?`;
const messages = [{ role: 'user', content: query }];
const searches = (path: string): TenantCase[] => [
  blind(path, { query }),
  at('collection', path, (collection) => ({ query, collection })),
  at('document', path, (id) => ({ query, filters: { owner: id } })),
];
const settlement = (path: string): TenantCase[] => [
  at('letter', path, (id) => ({ ids: [id] })),
  blind(path, { topic: 'chunks.embedded' }),
];

/** At least one case for every route. A route without one fails the spec. */
export const tenantCases: Readonly<Record<string, readonly TenantCase[]>> = {
  'GET /healthz': [blind('/healthz')],
  'GET /readyz': [blind('/readyz')],
  'GET /health': [blind('/health')],
  'GET /health/live': [blind('/health/live')],
  'GET /health/ready': [blind('/health/ready')],
  'GET /openapi.json': [blind('/openapi.json')],
  'GET /asyncapi.json': [blind('/asyncapi.json')],
  'GET /docs': [blind('/docs')],
  'GET /metrics': [blind('/metrics')],

  'POST /v1/documents': [at('otherDocument', '/v1/documents', (id) => ({ id, text: 'mine' }))],
  'GET /v1/documents': [blind('/v1/documents'), at('collection', '/v1/documents?collection=:id')],
  'GET /v1/documents/{id}': [at('document', '/v1/documents/:id'), at('document', '/v1/documents/:id?wait=1')],
  'PUT /v1/documents/{id}': [at('otherDocument', '/v1/documents/:id', () => ({ text: 'mine anew' }))],
  'DELETE /v1/documents/{id}': [at('document', '/v1/documents/:id')],
  'GET /v1/documents/{id}/content': [at('document', '/v1/documents/:id/content')],
  'GET /v1/documents/{id}/chunks': [at('document', '/v1/documents/:id/chunks')],
  'GET /v1/documents/{id}/timeline': [at('document', '/v1/documents/:id/timeline')],
  'POST /v1/documents/{id}/retry': [at('document', '/v1/documents/:id/retry')],
  'POST /v1/documents/{id}/cancel': [at('document', '/v1/documents/:id/cancel')],
  'PUT /v1/documents/{id}/access': [at('document', '/v1/documents/:id/access', () => ({ access: [] }))],
  'GET /v1/operations/{id}': [at('operation', '/v1/operations/:id')],
  'GET /v1/operations/{id}/events': [at('operation', '/v1/operations/:id/events')],

  'POST /v1/collections': [at('otherCollection', '/v1/collections', (id) => ({ id }))],
  'GET /v1/collections': [blind('/v1/collections')],
  'GET /v1/collections/{id}': [at('collection', '/v1/collections/:id')],
  'PATCH /v1/collections/{id}': [at('collection', '/v1/collections/:id', () => ({ title: 'mine' }))],
  'DELETE /v1/collections/{id}': [at('collection', '/v1/collections/:id')],
  'PUT /v1/collections/{id}/access': [at('collection', '/v1/collections/:id/access', () => ({ access: [] }))],
  'POST /v1/collections/{id}/reindex': [at('collection', '/v1/collections/:id/reindex', () => ({}))],
  'POST /v1/collections/{id}/reindex/abort': [at('collection', '/v1/collections/:id/reindex/abort')],
  'GET /v1/collections/{id}/generations': [at('collection', '/v1/collections/:id/generations')],
  'POST /v1/collections/{id}/generations/{generation}/rollback': [
    at('collection', '/v1/collections/:id/generations/1/rollback'),
  ],
  'DELETE /v1/collections/{id}/generations/{generation}': [at('collection', '/v1/collections/:id/generations/1')],

  'POST /v1/search': searches('/v1/search'),
  'POST /v1/query': [
    ...searches('/v1/query'),
    at('otherConversation', '/v1/query', (id) => ({ query, conversation_id: id })),
  ],
  'POST /v1/conversations': [at('otherConversation', '/v1/conversations', (id) => ({ id }))],
  'GET /v1/conversations': [blind('/v1/conversations')],
  'GET /v1/conversations/{id}': [at('conversation', '/v1/conversations/:id')],
  'DELETE /v1/conversations/{id}': [at('conversation', '/v1/conversations/:id')],
  'POST /v1/feedback': [at('answer', '/v1/feedback', (id) => ({ request_id: id, rating: 'down' }))],
  'GET /v1/feedback': [blind('/v1/feedback')],
  'POST /v1/questions': [
    blind('/v1/questions', { topic: WORD, count: 1 }),
    at('document', '/v1/questions', (id) => ({ document_id: id, count: 1 })),
    at('collection', '/v1/questions', (collection) => ({ collection, count: 1 })),
  ],

  'POST /v1/admin/keys': [blind('/v1/admin/keys', { name: 'mine', roles: ['reader'] })],
  'GET /v1/admin/keys': [blind('/v1/admin/keys')],
  'GET /v1/admin/keys/{id}': [at('key', '/v1/admin/keys/:id')],
  'DELETE /v1/admin/keys/{id}': [at('key', '/v1/admin/keys/:id')],
  'DELETE /v1/admin/users/{id}': [at('user', '/v1/admin/users/:id')],
  'GET /v1/admin/keys/{id}/quota': [at('key', '/v1/admin/keys/:id/quota')],
  'PUT /v1/admin/keys/{id}/quota': [
    at('key', '/v1/admin/keys/:id/quota', () => ({ requests_per_minute: 1, tokens_per_day: 1 })),
  ],
  'GET /v1/admin/quotas': [blind('/v1/admin/quotas')],
  'PUT /v1/admin/quotas': [blind('/v1/admin/quotas', { requests_per_minute: null, tokens_per_day: null })],
  'GET /v1/admin/audit': [
    at('document', '/v1/admin/audit?target=:id'), // who asks for an id finds his own asking, and nothing else
    at('user', '/v1/admin/audit?actor=:id'),
  ],
  'GET /v1/admin/usage': [blind('/v1/admin/usage?group_by=tenant,model')],
  'GET /v1/admin/dead-letters': [blind('/v1/admin/dead-letters')],
  'GET /v1/admin/dead-letters/{id}': [at('letter', '/v1/admin/dead-letters/:id')],
  'POST /v1/admin/dead-letters/replay': settlement('/v1/admin/dead-letters/replay'),
  'POST /v1/admin/dead-letters/discard': settlement('/v1/admin/dead-letters/discard'),
  'GET /v1/admin/sagas': [blind('/v1/admin/sagas'), blind('/v1/admin/sagas?state=completed')],
  'GET /v1/admin/sagas/{id}': [at('saga', '/v1/admin/sagas/:id')],
  'POST /v1/admin/sagas/{id}/resume': [at('saga', '/v1/admin/sagas/:id/resume')],
  'POST /v1/admin/sagas/{id}/abort': [at('saga', '/v1/admin/sagas/:id/abort')],
  'GET /v1/admin/breakers': [blind('/v1/admin/breakers')],
  'GET /v1/admin/settings': [blind('/v1/admin/settings')],
  'GET /v1/admin/flags': [blind('/v1/admin/flags')],
  'GET /v1/admin/flags/{name}': [blind('/v1/admin/flags/rerank')],
  'PUT /v1/admin/flags/{name}': [blind('/v1/admin/flags/rerank', { value: null })],
  'GET /v1/admin/models': [blind('/v1/admin/models')],
  'POST /v1/admin/models/load': [blind('/v1/admin/models/load', { model: 'nobody/knows-it' })],
  'POST /v1/admin/models/unload': [blind('/v1/admin/models/unload', { model: 'nobody/knows-it' })],
  'POST /v1/admin/models/pin': [blind('/v1/admin/models/pin', { model: 'nobody/knows-it' })],
  'POST /v1/admin/cache/warm': [blind('/v1/admin/cache/warm', { queries: [query] })],
  'POST /v1/admin/cache/clear': [
    blind('/v1/admin/cache/clear', {}),
    at('collection', '/v1/admin/cache/clear', (collection) => ({ collection })),
  ],

  'POST /v1/chat/completions': [
    blind('/v1/chat/completions', { model: 'ragmesh', messages }),
    blind('/v1/chat/completions', { model: 'ragmesh', messages, stream: true }),
    at('collection', '/v1/chat/completions', (id) => ({ model: `ragmesh/${id}`, messages })),
  ],
  'POST /v1/embeddings': [blind('/v1/embeddings', { model: 'ragmesh', input: [WORD] })],
  'GET /v1/models': [blind('/v1/models')],
  'GET /v1/models/{id}': [at('model', '/v1/models/:id')],
  'GET /v1/models/{owner}/{name}': [
    { owned: 'model', call: (id) => ({ path: `/v1/models/${decodeURIComponent(id)}` }) },
  ],
  'POST /query': [blind('/query', { query })],
  'POST /query/stream': [blind('/query/stream', { query })],
  'POST /index': [at('otherDocument', '/index', (id) => ({ documents: [{ id, text: 'mine' }] }))],
  'POST /reindex': [at('collection', '/reindex', (collection) => ({ collection }))],
  'POST /documents': [blind('/documents', { text: 'mine' })],
  'POST /api/v1/query': [
    blind('/api/v1/query', { query }),
    at('collection', '/api/v1/query', (collection) => ({ query, collection })),
  ],
  'POST /api/v1/documents': [blind('/api/v1/documents', { text: 'mine' })],
  'GET /api/v1/documents/{id}': [at('document', '/api/v1/documents/:id')],
  'POST /api/chat/generate-questions': [blind('/api/chat/generate-questions', { topic: WORD, count: 1 })],
};
