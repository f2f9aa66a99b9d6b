import { describe, expect, it } from '@jest/globals';
import { hasRole, roles, rolesAmong } from './roles.js';
import { accessTo } from './route-roles.js';

describe('roles', () => {
  it('include the lesser ones; operators see no documents', () => {
    const granted = (...held: (typeof roles)[number][]) => roles.filter((role) => hasRole(held, role));
    expect(granted('reader')).toEqual(['reader']);
    expect(granted('writer')).toEqual(['reader', 'writer']);
    expect(granted('admin')).toEqual(['reader', 'writer', 'admin']);
    expect(granted('operator')).toEqual(['operator']);
    expect(granted()).toEqual([]);
  });

  it('are only the words that are known', () => {
    expect(rolesAmong(['root', 'writer', 'toString'])).toEqual(['writer']);
  });

  it('are asked for by routes, HEAD as GET; an unknown route has none', () => {
    expect(accessTo('HEAD', '/v1/documents/:id')).toBe('reader');
    expect(accessTo('GET', '/v1/nothing')).toBeUndefined();
    expect(accessTo('GET', '/metrics')).toBe('operator');
  });
});
