import { describe, expect, it } from '@jest/globals';
import { routeRoles } from '../auth/route-roles.js';
import { excusedRoutes, isAudited } from './audited-routes.js';

describe('what is recorded', () => {
  it('is every change and every administrator’s reading; who adds a route that asks by POST must excuse it here, too', () => {
    expect([...excusedRoutes].toSorted()).toEqual([
      'GET /metrics',
      'POST /api/chat/generate-questions',
      'POST /api/v1/query',
      'POST /query',
      'POST /query/stream',
      'POST /v1/chat/completions',
      'POST /v1/embeddings',
      'POST /v1/query',
      'POST /v1/questions',
      'POST /v1/search',
    ]);
    for (const [route, access] of Object.entries(routeRoles)) {
      const [method = '', url = ''] = route.split(' ');
      const isRecorded = !excusedRoutes.has(route) && (method !== 'GET' || ['admin', 'operator'].includes(access));
      expect({ route, isRecorded: isAudited(method, url) }).toEqual({ route, isRecorded });
    }
  });

  it('excuses no route that is gone', () => {
    expect([...excusedRoutes].filter((route) => !(route in routeRoles))).toEqual([]);
  });

  it('is what nobody has thought of, too', () => {
    expect(isAudited('POST', '/v1/nobody-has-thought-of')).toBe(true);
    expect(isAudited('HEAD', '/v1/admin/keys')).toBe(true);
    expect(isAudited('HEAD', '/v1/documents')).toBe(false);
  });
});
