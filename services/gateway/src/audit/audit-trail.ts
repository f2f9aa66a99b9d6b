import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { gauge, type Logger } from '@ragmesh/observability';
import { PeriodicTask, SharedRun } from '@ragmesh/resilience';
import type { AuditEntry, AuditOutcome, RecordedEntry } from './audit-entry.js';
import { AuditRepository, type AuditQuery } from './audit.repository.js';
import { Backlog } from './backlog.js';

const FLUSH_MS = 500;
/** A database that is away is noticed after seconds; whoever only reads does not wait for that. */
const READING_WAITS_MS = 250;
/** What waits for a database that is away, of entries and of outcomes; beyond that the oldest are given up, and logged. */
const MAX_WAITING = 100_000;
/** Of what waits, by one statement. */
const MAX_WRITTEN = 5_000;

/** What is written by the next statement, and who waits for it. */
interface Batch {
  readonly entries: AuditEntry[];
  readonly written: Promise<void>;
}

/**
 * Records who did what. A change is recorded before it is done, and not done when it cannot be recorded; how it ended is
 * written within half a second. Reading goes on while the database is away, since operators need it most then, and is
 * recorded when it is back.
 */
@Injectable()
export class AuditTrail implements OnModuleInit, OnApplicationShutdown {
  #writing: Promise<unknown> = Promise.resolve();
  #next: Batch | undefined;
  readonly #lateEntries = new Backlog<AuditEntry>(MAX_WAITING);
  readonly #outcomes = new Backlog<AuditOutcome>(MAX_WAITING);
  readonly #rounds = new PeriodicTask(() => this.flush(), FLUSH_MS);
  readonly #flushing = new SharedRun(() => this.#writeWaiting());

  constructor(
    private readonly repository: AuditRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    gauge('ragmesh_audit_pending').set(0);
    this.#rounds.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#rounds.stop();
    await this.flush();
  }

  /** Resolves when it is recorded. @throws RagmeshError STORAGE.* when it cannot be: then it must not be done. */
  recordChange(entry: AuditEntry): Promise<void> {
    return this.#add(entry);
  }

  /** Resolves when it is recorded, or soon: then it will be. */
  async recordReading(entry: AuditEntry): Promise<void> {
    const recorded = this.#add(entry).catch(() => this.#lateEntries.add(entry));
    const patience = new AbortController();
    const soon = delay(READING_WAITS_MS, undefined, { signal: patience.signal, ref: false }).catch(() => undefined);
    await Promise.race([recorded, soon]);
    patience.abort();
  }

  /** Notes how something recorded ended. */
  noteOutcome(outcome: AuditOutcome): void {
    this.#outcomes.add(outcome);
  }

  async list(query: AuditQuery): Promise<RecordedEntry[]> {
    await this.flush();
    return this.repository.list(query);
  }

  /** Writes what waits; what cannot be written now is kept for the next time. Never rejects. */
  flush(): Promise<void> {
    return this.#flushing.run();
  }

  /** Entries that come while one statement runs are written together by the next: a commit costs more than a row. */
  #add(entry: AuditEntry): Promise<void> {
    if (this.#next) {
      this.#next.entries.push(entry);
      return this.#next.written;
    }
    const entries = [entry];
    const written = this.#writing.then(() => {
      this.#next = undefined;
      return this.repository.add(entries);
    });
    this.#next = { entries, written };
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #writeWaiting(): Promise<void> {
    const { repository } = this;
    try {
      await writeAll(this.#lateEntries, (entries) => repository.add(entries));
      await writeAll(this.#outcomes, (outcomes) => repository.end(outcomes));
    } catch (error) {
      const waiting = this.#lateEntries.size + this.#outcomes.size;
      this.logger.warn({ err: error, waiting }, 'The audit trail will be completed later');
    }
    const [entries, outcomes] = [this.#lateEntries.countGivenUp(), this.#outcomes.countGivenUp()];
    if (entries + outcomes > 0)
      this.logger.warn({ entries, outcomes }, 'Some of the audit trail was given up: the database was away too long');
    gauge('ragmesh_audit_pending').set(this.#lateEntries.size + this.#outcomes.size);
  }
}

/** @throws what `write` throws; then what it could not write stays. */
async function writeAll<Item>(backlog: Backlog<Item>, write: (items: readonly Item[]) => Promise<void>): Promise<void> {
  for (let taken = backlog.take(MAX_WRITTEN); taken.length > 0; taken = backlog.take(MAX_WRITTEN)) {
    try {
      await write(taken);
    } catch (error) {
      backlog.putBack(taken);
      throw error;
    }
  }
}
