import { fileURLToPath } from 'node:url';

export { DeadLetterReplays, type SettledLetter, type Settlement } from './dead-letter-replays.js';
export { DeadLetterStore } from './dead-letter-store.js';
export type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterReplay,
  DeadLetterSelection,
  DeadLetterStatus,
  DeadLetterSummary,
} from './dead-letter.js';
export { Inbox } from './inbox.js';
export { keepRefusedEvents } from './refused-event.js';
export { redactedPayload } from './redacted-payload.js';
export { ReplayFollower } from './replay-follower.js';

/** Migrations of the tables a service's database needs for its inbox and dead letters. */
export const inboxMigrations = fileURLToPath(new URL('../migrations', import.meta.url));
