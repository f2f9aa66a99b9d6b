import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import pg from 'pg';
import { connectAll } from './connect.js';

const ATTEMPTS = 30;
const LOCK_WITHIN_MS = 1_000;
const LONGEST_PAUSE_MS = 500;
/** SQLSTATE of a lock that was not free in time, and of a deadlock this session was chosen to end. */
const NOT_FREE = new Set(['55P03', '40P01']);

/** A database as it was at the cut, for as long as its connection lives. */
export interface Snapshot {
  readonly service: ServiceName;
  readonly client: pg.Client;
}

export interface Cut {
  readonly snapshots: readonly Snapshot[];
  /** How long commits with events waited, in ms. */
  readonly pausedMs: number;
}

/**
 * One point in time through databases that know nothing of each other. PostgreSQL can share a snapshot within a database only,
 * so events are stopped for a moment: whoever holds SHARE on every outbox knows that no transaction with an event is under way
 * anywhere. Snapshots taken then agree: an event that one database has handled is in the outbox of the one that told it
 * (Mattern's consistent cut). Readers go on, and so do writes without events.
 * @param clients connections without a transaction; they are in one afterwards, `REPEATABLE READ` and read only.
 * @throws RagmeshError BACKUP.NOT_NOW when the locks are never free together.
 */
export async function takeCut(urls: ReadonlyMap<ServiceName, string>, clients: readonly Snapshot[]): Promise<Cut> {
  const lockers = await connectAll([...urls.values()]);
  try {
    for (const { client } of clients) await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const pausedMs = await tryCut(lockers, clients);
      if (pausedMs !== undefined) return { snapshots: clients, pausedMs };
      await delay(Math.random() * LONGEST_PAUSE_MS);
    }
    throw new RagmeshError(
      'BACKUP.NOT_NOW',
      `Events could not be stopped for a moment in ${ATTEMPTS} attempts: some transaction is open for longer than ${LOCK_WITHIN_MS} ms. End it (see pg_stat_activity), then start the backup again.`,
    );
  } finally {
    await Promise.all(lockers.map((locker) => locker.end()));
  }
}

/** @returns how long events were stopped, or undefined when they could not be. */
async function tryCut(lockers: readonly pg.Client[], clients: readonly Snapshot[]): Promise<number | undefined> {
  const begin = performance.now();
  const locks = await Promise.allSettled(lockers.map(lockOutbox));
  try {
    const failed = locks.filter((lock) => lock.status === 'rejected').map(({ reason }) => reason as { code?: string });
    if (failed.length === 0) {
      await Promise.all(clients.map(({ client }) => client.query('SELECT pg_current_snapshot()')));
      return performance.now() - begin;
    }
    const cause = failed.find(({ code }) => !NOT_FREE.has(code ?? ''));
    if (cause) throw cause as unknown as Error;
    return undefined;
  } finally {
    await Promise.all(lockers.map((locker) => locker.query('ROLLBACK')));
  }
}

async function lockOutbox(locker: pg.Client): Promise<void> {
  await locker.query('BEGIN');
  await locker.query(`SET LOCAL lock_timeout = ${LOCK_WITHIN_MS}`);
  await locker.query('LOCK TABLE outbox IN SHARE MODE');
}
