import { retryTopic, type ServiceName } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import {
  forAllHandlers,
  originTopic,
  outgoingHandler,
  readRetryState,
  retryHeaders,
  unreadableHandler,
} from '@ragmesh/messaging';
import type { Outbox, OutboxEntry } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { DeadLetterStore } from './dead-letter-store.js';
import { MAX_REPLAYS, originalRecord, type DeadLetter, type DeadLetterSelection } from './dead-letter.js';
import { dropRefused, releaseRefused } from './refused-event.js';

/** What became of one letter of a selection. */
export interface SettledLetter {
  readonly id: string;
  /** Why nothing was done with it; absent when it was. */
  readonly refusal?: RagmeshError;
}

export interface Settlement {
  readonly letters: readonly SettledLetter[];
  /** How many the selection matched, the limit left aside. */
  readonly matched: number;
}

interface ReplayOptions {
  /** Who asked for it. */
  readonly by: string;
  readonly dryRun: boolean;
  /** Events per second, at most: each copy waits in the outbox for its turn. */
  readonly rate: number;
  /** Events that others send first. */
  readonly ahead?: number;
}

/** Claims the letter as it was read: of two replays at once, the second finds it claimed, or replayed meanwhile. */
const CLAIM = `
  UPDATE dead_letter SET status = 'replaying', replays = replays + 1
  WHERE tenant = $1 AND id = $2 AND status = 'parked' AND replays = $3 RETURNING replays`;

const NOTE = 'INSERT INTO dead_letter_replay (letter_id, tenant, number, requested_by) VALUES ($1, $2, $3, $4)';

/** Lets the event in once more, as a further attempt; an effect that is committed stays the only one. */
const REOPEN = `
  INSERT INTO inbox (event_id, handler_id, attempt, starts) VALUES ($1, $2, $3, 0)
  ON CONFLICT (event_id, handler_id) DO UPDATE SET attempt = $3, starts = 0, finished_at = NULL, outcome = NULL
  WHERE inbox.outcome = 'dead-letter'`;

const DISCARD = `
  UPDATE dead_letter SET status = 'discarded', note = $3, settled_at = now()
  WHERE tenant = $1 AND id = $2 AND status = 'parked' RETURNING id`;

/** Decides what becomes of dead letters. */
export class DeadLetterReplays {
  constructor(
    private readonly store: DeadLetterStore,
    private readonly outbox: Outbox,
    private readonly service: ServiceName,
  ) {}

  /** Has the events of a selection handled once more, each by the handler that failed. */
  async replay(tenant: string, selection: DeadLetterSelection, options: ReplayOptions): Promise<Settlement> {
    const pauseMs = 1000 / options.rate;
    return this.#each(tenant, selection, async (letter, index) => {
      if (letter.status === 'quarantined') throw quarantined(letter);
      if (options.dryRun) return;
      await this.#replayOne(letter, options.by, ((options.ahead ?? 0) + index) * pauseMs);
    });
  }

  /** Gives letters up for good. @param note why, for those who ask later. */
  async discard(
    tenant: string,
    selection: DeadLetterSelection,
    { note, dryRun }: { note: string; dryRun: boolean },
  ): Promise<Settlement> {
    return this.#each(tenant, selection, async (letter) => {
      if (dryRun) return;
      await this.outbox.transaction(async (tx) => {
        const { rowCount } = await tx.query(DISCARD, [tenant, letter.id, note]);
        if (rowCount === 0) throw notParked(letter.id);
        if (letter.handler_id === outgoingHandler(this.service)) dropRefused(tx, letter);
      });
    });
  }

  async #each(
    tenant: string,
    selection: DeadLetterSelection,
    settle: (letter: DeadLetter, index: number) => Promise<void>,
  ): Promise<Settlement> {
    const { ids, matched } = await this.store.select(tenant, selection);
    const letters: SettledLetter[] = [];
    for (const id of ids) letters.push(await this.#settle(tenant, id, (letter) => settle(letter, letters.length)));
    return { letters, matched };
  }

  async #settle(tenant: string, id: string, settle: (letter: DeadLetter) => Promise<void>): Promise<SettledLetter> {
    try {
      const letter = await this.store.find(tenant, id);
      if (!letter) throw new RagmeshError('DEAD_LETTER.NOT_FOUND', `There is no dead letter "${id}".`, { id });
      if (letter.status !== 'parked' && letter.status !== 'quarantined') throw notParked(id, letter.status);
      await settle(letter);
      return { id };
    } catch (error) {
      const refusal = asRagmeshError(error);
      if (refusal.retry === 'transient') throw refusal;
      return { id, refusal };
    }
  }

  /**
   * Once: letter, inbox and the copy for the handler's retry topic change in one transaction. The event keeps its id, so
   * whatever of it was handled meanwhile is not handled again.
   */
  async #replayOne(letter: DeadLetter, by: string, delayMs: number): Promise<void> {
    await this.outbox.transaction(async (tx, { add }) => {
      const { rows } = await tx.query<{ replays: number }>(CLAIM, [letter.tenant, letter.id, letter.replays]);
      if (!rows[0]) throw notParked(letter.id);
      await tx.query(NOTE, [letter.id, letter.tenant, rows[0].replays, by]);
      if (letter.handler_id === outgoingHandler(this.service)) releaseRefused(tx, letter, delayMs);
      else add({ ...(await this.#copy(tx, letter)), delayMs });
    });
  }

  async #copy(tx: SqlTransaction, letter: DeadLetter): Promise<OutboxEntry> {
    const record = originalRecord(letter);
    const { key, value } = record;
    const topic = retryTopic(originTopic(readRetryState(record)), this.service);
    const attempt = letter.attempts + 1;
    const headers = retryHeaders(record, letter.handler_id, attempt, letter.first_failed_at);
    if (letter.handler_id !== unreadableHandler(this.service)) {
      await tx.query(REOPEN, [letter.event_id, letter.handler_id, attempt]);
      return { topic, key, headers, value };
    }
    // No handler has seen it: if this release can read it, all handlers of its type are to.
    return { topic, key, headers: forAllHandlers(headers), value };
  }
}

const notParked = (id: string, status = 'being replayed'): RagmeshError =>
  new RagmeshError('DEAD_LETTER.SETTLED', `Dead letter "${id}" is ${status}.`, { id });

const quarantined = ({ id, replays }: DeadLetter): RagmeshError =>
  new RagmeshError('DEAD_LETTER.QUARANTINED', `Dead letter "${id}" was replayed ${replays} times in vain.`, {
    id,
    replays,
    limit: MAX_REPLAYS,
  });
