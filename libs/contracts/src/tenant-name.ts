/** Names of tenants. They become parts of keys and paths, so they hold nothing that could mean something there. */
export const tenantPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The tenant of requests while authentication is off, and of events that name none. */
export const DEFAULT_TENANT = 'default';
