/** Stands for every principal: who has it reads whatever the tenant has. No access list can name it. */
export const EVERYTHING = '*';

/** Subject of everybody while authentication is off: all of them read everything. */
export const ANONYMOUS = 'anonymous';

/** Who may read something: these principals, or with null everyone of the tenant. An empty list admits nobody. */
export type AccessList = readonly string[] | null;

/** Whether an access list admits somebody who has these principals. */
export const mayRead = (access: AccessList, principals: readonly string[]): boolean =>
  access === null || readsEverything(principals) || access.some((principal) => principals.includes(principal));

/** Whether no access list stands in the way. */
export const readsEverything = (principals: readonly string[]): boolean => principals.includes(EVERYTHING);

/** Those whom both lists admit: what holds while one is replaced by the other, so that nobody sees too much. */
export function admittedByBoth(one: AccessList, other: AccessList): AccessList {
  if (one === null || other === null) return one ?? other;
  return one.filter((principal) => other.includes(principal));
}
