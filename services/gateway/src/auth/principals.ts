import { EVERYTHING } from '@ragmesh/observability';
import type { Principal } from './principal.js';

/** Groups of one credential that are looked at; a token with more opens less. */
const MAX_GROUPS = 100;
/** All principals travel with every call, whose headers have an end. */
const MAX_CHARACTERS = 6_000;

/**
 * Whom access lists may name to let a caller read: the subject, groups and roles. An admin of a tenant sets its lists, so none
 * stands in an admin's way.
 */
export function principalsOf({ subject, roles, groups = [] }: Omit<Principal, 'tenant'>): string[] {
  if (roles.includes('admin')) return [EVERYTHING];
  const principals = [subject, ...roles.map((role) => `role:${role}`)];
  let characters = principals.join().length;
  for (const group of groups.slice(0, MAX_GROUPS)) {
    const name = `group:${encodeURIComponent(group.toWellFormed())}`;
    characters += name.length + 1;
    if (characters > MAX_CHARACTERS) break;
    principals.push(name);
  }
  return principals;
}
