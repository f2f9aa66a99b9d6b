import { note, type Finding } from './finding.js';
import type { Gateway } from './gateway.js';

const NAMED_TENANTS = 5;

/** A list of the edge, and what is to be said of how it was come by. */
interface Listed<T> {
  readonly list: T | undefined;
  readonly findings: readonly Finding[];
}

/** A list over all tenants; of an edge that has none, as of a release before this one, over the tenant of the key. */
export async function listOfAllTenants<T>(gateway: Gateway, path: string): Promise<Listed<T>> {
  const all = await gateway.json<T>(`${path}&tenant=*`);
  if (all !== undefined) return { list: all, findings: [] };
  const own = await gateway.json<T>(path);
  if (own === undefined) return { list: undefined, findings: [] };
  const onlyOwn = note(
    'Only one tenant was looked at, that of the key.',
    'What other tenants wait for is not told here.',
    'npm run doctor of the release that runs, or with a key of each tenant',
  );
  return { list: own, findings: [onlyOwn] };
}

/** Absent, or empty, where the edge or the service is of a release that shows one tenant only. */
export interface OfTenant {
  readonly tenant?: string;
}

/** What a call names the tenant by. */
export const tenantQuery = ({ tenant }: OfTenant): string => (tenant ? `?tenant=${tenant}` : '');

/** The tenants that these things are of, the first few by name. */
export function named(things: readonly OfTenant[]): string {
  const tenants = [...new Set(things.map(({ tenant }) => tenant || 'of the key'))];
  const first = tenants.slice(0, NAMED_TENANTS).join(', ');
  const more = tenants.length - NAMED_TENANTS;
  return `${tenants.length === 1 ? 'tenant' : 'tenants'} ${first}${more > 0 ? ` and ${more} more` : ''}`;
}
