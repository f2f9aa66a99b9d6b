import { fileURLToPath } from 'node:url';

export { DeadLetterStore, type DeadLetterSummary } from './dead-letter-store.js';
export { Inbox } from './inbox.js';

/** Migrations of the tables a service's database needs for its inbox and dead letters. */
export const inboxMigrations = fileURLToPath(new URL('../migrations', import.meta.url));
