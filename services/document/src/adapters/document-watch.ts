import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Outbox } from '@ragmesh/outbox';
import { Database } from '@ragmesh/postgres';

const POLL_MS = 500;
const DEBOUNCE_MS = 5;

interface Waiter {
  readonly tenant: string;
  readonly id: string;
  readonly done: () => void;
}

/** Wakes long polls when their document reaches a terminal state: one query for all of them, after each commit. */
@Injectable()
export class DocumentWatch implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #unsubscribe = (): void => undefined;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  onApplicationBootstrap(): void {
    this.#unsubscribe = this.outbox.onCommitted(() => this.#soon());
    // Another process may have made the change.
    this.#poll = setInterval(() => this.#soon(), POLL_MS).unref();
  }

  onModuleDestroy(): void {
    this.#unsubscribe();
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
    for (const { done } of this.#waiters) done();
  }

  /** Resolves when the document is ready, failed or deleted, after `ms`, or when the caller leaves. */
  async untilTerminal(tenant: string, id: string, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => waiter.done(), ms);
      const waiter: Waiter = {
        tenant,
        id,
        done: () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', waiter.done);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      signal?.addEventListener('abort', waiter.done, { once: true });
      this.#waiters.add(waiter);
      this.#soon();
    });
  }

  #soon(): void {
    if (this.#waiters.size === 0 || this.#timer) return;
    this.#timer = setTimeout(() => void this.#check(), DEBOUNCE_MS);
  }

  async #check(): Promise<void> {
    this.#timer = undefined;
    const waiters = [...this.#waiters];
    const { rows } = await this.database
      .query<{ tenant: string; id: string }>(
        `SELECT tenant, id FROM document WHERE (tenant, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
           AND status IN ('ready', 'failed', 'deleted')`,
        [waiters.map(({ tenant }) => tenant), waiters.map(({ id }) => id)],
      )
      .catch(() => ({ rows: [] })); // the poll asks again
    const terminal = new Set(rows.map(({ tenant, id }) => `${tenant}/${id}`));
    for (const { tenant, id, done } of waiters) if (terminal.has(`${tenant}/${id}`)) done();
  }
}
