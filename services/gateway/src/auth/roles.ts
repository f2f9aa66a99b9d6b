/** What a credential may do: read and ask, change documents, manage a tenant, keep the mesh running. */
export const roles = ['reader', 'writer', 'admin', 'operator'] as const;
export type Role = (typeof roles)[number];

/** A role and those it includes. Whoever keeps the mesh running need not see documents, so `operator` includes none. */
const included: Readonly<Record<Role, readonly Role[]>> = {
  reader: ['reader'],
  writer: ['writer', 'reader'],
  admin: ['admin', 'writer', 'reader'],
  operator: ['operator'],
};

/** Whether someone with `held` roles has `wanted`, too. */
export const hasRole = (held: readonly Role[], wanted: Role): boolean =>
  held.some((role) => included[role].includes(wanted));

/** The words that are roles; a credential may name others, which mean nothing here. */
export const rolesAmong = (words: readonly string[]): Role[] => roles.filter((role) => words.includes(role));
