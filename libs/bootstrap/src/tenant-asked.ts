import { currentTenant } from '@ragmesh/observability';

/** Whose things a list is to show; null: those of all tenants. Calls are signed, and the edge asks so for operators only. */
export const tenantAsked = (allTenants: boolean): string | null => (allTenants ? null : currentTenant());
