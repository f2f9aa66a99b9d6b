import { fileURLToPath } from 'node:url';

export { Outbox, type OutboxEntry, type OutboxWriter } from './outbox.js';
export { OUTBOX_KEPT_SECONDS } from './outbox-housekeeping.js';
export { OutboxRelay, type KeepRefused, type RelayOptions } from './outbox-relay.js';
export type { OutboxRow } from './outbox-rows.js';

/** Migrations of the tables a service's database needs for its outbox. */
export const outboxMigrations = fileURLToPath(new URL('../migrations', import.meta.url));
