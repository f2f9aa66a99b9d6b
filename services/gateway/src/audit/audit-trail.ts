import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { gauge, type Logger } from '@ragmesh/observability';
import type { AuditEntry, AuditOutcome, RecordedEntry } from './audit-entry.js';
import { AuditRepository, type AuditQuery } from './audit.repository.js';

const FLUSH_MS = 500;
/** A database that is away is noticed after seconds; whoever only reads does not wait for that. */
const READING_WAITS_MS = 250;
/** What waits for a database that is away; beyond that the oldest outcomes are given up, and logged. */
const MAX_WAITING = 100_000;

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
  #lateEntries: AuditEntry[] = [];
  #outcomes: AuditOutcome[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly repository: AuditRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onModuleInit(): void {
    gauge('ragmesh_audit_pending').set(0);
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  /** Resolves when it is recorded. @throws RagmeshError STORAGE.* when it cannot be: then it must not be done. */
  recordChange(entry: AuditEntry): Promise<void> {
    return this.#add(entry);
  }

  /** Resolves when it is recorded, or soon: then it will be. */
  async recordReading(entry: AuditEntry): Promise<void> {
    const recorded = this.#add(entry).catch(() => void this.#lateEntries.push(entry));
    const patience = new AbortController();
    const soon = delay(READING_WAITS_MS, undefined, { signal: patience.signal, ref: false }).catch(() => undefined);
    await Promise.race([recorded, soon]);
    patience.abort();
  }

  /** Notes how something recorded ended. */
  noteOutcome(outcome: AuditOutcome): void {
    this.#outcomes.push(outcome);
    if (this.#outcomes.length <= MAX_WAITING) return;
    this.#outcomes.shift();
    this.logger.warn('An outcome of the audit trail was given up: the database was away too long');
  }

  async list(query: AuditQuery): Promise<RecordedEntry[]> {
    await this.flush();
    return this.repository.list(query);
  }

  /** Writes what waits; what cannot be written now is kept for the next time. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#writeWaiting());
    return this.#flushing;
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
    const [entries, outcomes] = [this.#lateEntries, this.#outcomes];
    if (entries.length + outcomes.length > 0) {
      [this.#lateEntries, this.#outcomes] = [[], []];
      try {
        if (entries.length > 0) await this.repository.add(entries);
        if (outcomes.length > 0) await this.repository.end(outcomes);
      } catch (error) {
        this.#lateEntries.unshift(...entries);
        this.#outcomes.unshift(...outcomes);
        this.logger.warn({ err: error, waiting: outcomes.length }, 'The audit trail will be completed later');
      }
    }
    gauge('ragmesh_audit_pending').set(this.#lateEntries.length + this.#outcomes.length);
  }
}
