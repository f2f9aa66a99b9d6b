import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import type { EventSpec, ServiceName } from '@ragmesh/contracts';
import { encodeEvent, type EncodedEvent, type Publish } from '@ragmesh/messaging';
import { currentContext, injectTrace } from '@ragmesh/observability';
import { storableText, storableTexts, type Database, type SqlTransaction } from '@ragmesh/postgres';

/** A row to be: an encoded event, held back for `delayMs`. */
export interface OutboxEntry extends Omit<EncodedEvent, 'id'> {
  readonly delayMs?: number;
}

/** What a transaction may do beside its own statements. */
export interface OutboxWriter {
  readonly publish: Publish;
  /** Publishes as a consequence of another event than the transaction's. */
  causedBy(eventId: string): Publish;
  /** Adds a record as it is, but for characters the table does not take; for copies of events, which keep their identity. */
  add(entry: OutboxEntry): void;
}

const INSERT = `
  INSERT INTO outbox (topic, key, headers, value, available_at)
  SELECT topic, key, headers::jsonb, value, now() + delay_ms * interval '1 millisecond'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::int[]) AS t(topic, key, headers, value, delay_ms)`;

/** Values of one statement; the last of them may exceed it. */
const STATEMENT_BYTES = 512 * 1024;

/**
 * The write half of the transactional outbox: events and the state they tell of commit together or not at all. The relay
 * is the other half.
 */
export class Outbox {
  readonly #committed = new EventEmitter();

  constructor(
    private readonly database: Database,
    private readonly service: ServiceName,
  ) {}

  /**
   * Runs `work` in one transaction and adds its events before the commit.
   * @param causationId of the event being handled, if any.
   */
  async transaction<T>(work: (tx: SqlTransaction, out: OutboxWriter) => Promise<T>, causationId?: string): Promise<T> {
    const entries: OutboxEntry[] = [];
    const result = await this.database.transaction(async (tx) => {
      entries.length = 0;
      const value = await work(tx, this.#writer(entries, causationId));
      await insert(tx, entries);
      return value;
    });
    if (entries.length > 0) this.#committed.emit('rows');
    return result;
  }

  /** Calls `listener` after each commit that added rows; returns how to stop. */
  onCommitted(listener: () => void): () => void {
    this.#committed.on('rows', listener);
    return () => void this.#committed.off('rows', listener);
  }

  #writer(entries: OutboxEntry[], causationId: string | undefined): OutboxWriter {
    const causedBy = (cause: string | undefined): Publish => {
      return (spec, subject, payload) => void entries.push(this.#encode(cause, spec, subject, payload));
    };
    return { add: (entry) => void entries.push(storableEntry(entry)), publish: causedBy(causationId), causedBy };
  }

  #encode<Desc extends DescMessage>(
    causationId: string | undefined,
    ...[spec, subject, payload]: [spec: EventSpec<Desc>, subject: string, payload: MessageInitShape<Desc>]
  ): OutboxEntry {
    const context = currentContext();
    if (!context) throw new Error(`${spec.type} is published outside of a request context: its tenant is unknown`);
    return encodeEvent(spec, subject, payload, {
      source: `/ragmesh/${this.service}`,
      tenant: context.tenant,
      actor: context.subject,
      correlationId: context.requestId,
      ...(causationId ? { causationId } : {}),
      trace: injectTrace(),
    });
  }
}

/** Copies are of records that anybody may have written. */
const storableEntry = (entry: OutboxEntry): OutboxEntry => ({
  ...entry,
  key: storableText(entry.key),
  headers: storableTexts(entry.headers),
});

/** In statements that are written in a moment each: a book's events at once would hold the event loop up. */
async function insert(tx: SqlTransaction, entries: readonly OutboxEntry[]): Promise<void> {
  for (let first = 0; first < entries.length;) {
    if (first > 0) await setImmediate();
    let bytes = 0;
    let end = first;
    while (end < entries.length && bytes < STATEMENT_BYTES) bytes += entries[end++]!.value.byteLength;
    write(tx, entries.slice(first, end));
    first = end;
  }
}

function write(tx: SqlTransaction, entries: readonly OutboxEntry[]): void {
  tx.write(INSERT, [
    entries.map(({ topic }) => topic),
    entries.map(({ key }) => key),
    entries.map(({ headers }) => JSON.stringify(headers)),
    entries.map(({ value }) => Buffer.from(value.buffer, value.byteOffset, value.byteLength)),
    entries.map(({ delayMs = 0 }) => Math.round(delayMs)),
  ]);
}
