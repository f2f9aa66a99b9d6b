import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import type { OutboxWriter } from '@ragmesh/outbox';
import { Database, type SqlRunner, type SqlTransaction } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';
import { SagaEngine, type InputFrom, type SagaInput, type SagaSource, type SagaState } from '@ragmesh/saga';
import type { DocumentRow } from '../adapters/document.rows.js';
import { WaitingIngestions, type FreshIngestion } from '../adapters/waiting-ingestions.js';
import type { DocumentConfig } from '../document.config.js';
import { ActiveTenants } from '../domain/active-tenants.js';
import { ingestionId, ingestionSaga, waitsFor, type Ingestion } from '../sagas/ingestion.saga.js';
import { showIngestion, showReading } from './ingestion-status.js';

type Publish = OutboxWriter['publish'];
type Indexed = Pick<eventsV1.VectorIndexed, 'documentId' | 'version' | 'batch' | 'generation'>;

type Abort = Extract<SagaInput<Ingestion>, { kind: 'abort' }>;
type Read = Pick<DocumentRow, 'id' | 'version'>;

const REMOVED = { code: 'DOCUMENT.CANCELLED', message: 'The version was removed before readers saw it.' };

/** Longer than most files take to be read; only of the others callers are told that they are. */
export const SHOWN_AFTER_MS = 2_500;

/** Several times within the time the saga gives the step. */
export const TOLD_EVERY_MS = 45_000;

interface NewVersion {
  readonly id: string;
  readonly version: number;
  readonly collection: string;
  /** The document as it was before, when this is a further version of it. */
  readonly replaces?: DocumentRow | undefined;
  /** Readers may see an older version: `document.updated` tells of it. */
  readonly isUpdate: boolean;
  readonly chunking?: { readonly size: number; readonly overlap: number };
}

/** Uploads and deletions lock the document, then tell its saga. */
const DOCUMENT = {
  join: `JOIN document d ON d.tenant = s.tenant AND d.id = s.data ->> 'documentId'`,
  lock: 'FOR NO KEY UPDATE OF d',
};

/**
 * The ingestion saga together with what callers see of it: each move of the saga changes the document's row with it.
 *
 * Only so many of a tenant's ingestions are on their way at a time, and fewer while several tenants upload. The others wait in the
 * database, so every queue behind this point is short, and a tenant's upload finds few of another one's before it, however many
 * that one sent.
 */
@Injectable()
export class IngestionProcess {
  readonly engine = new SagaEngine<Ingestion>(
    ingestionSaga,
    (tx, publish, _id, state) => this.#moved(tx, publish, state),
    DOCUMENT,
  );
  readonly #active = new ActiveTenants();
  /** Turns of tenants that are not sent yet, of each transaction. */
  readonly #turns = new WeakMap<SqlTransaction, Map<string, Promise<void>>>();

  constructor(
    private readonly database: Database,
    private readonly waiting: WaitingIngestions,
    @Inject(CONFIG) private readonly config: DocumentConfig,
  ) {}

  /**
   * Starts the ingestion of a version and tells of it, now or when its turn comes; one of an older version that still runs
   * or waits is called off, unless it is being shown: then readers see it until this one is.
   */
  async begin(tx: SqlTransaction, publish: Publish, { id, replaces, chunking, ...rest }: NewVersion): Promise<void> {
    const tenant = currentTenant();
    if (replaces)
      await this.abort(tx, publish, id, replaces.version, {
        error: { code: 'DOCUMENT.CANCELLED', message: 'A newer version was uploaded.' },
      });
    const acceptedAt = new Date().toISOString();
    const arrival = { ...rest, tenant, documentId: id, chunking: chunking ?? null, acceptedAt };
    await this.#start(tx, publish, this.waiting.arriving(arrival, this.#mostOf(tenant)));
  }

  /**
   * Begins what may begin of what waits. Done at each end of an ingestion; a worker looks after what is left over. Those that
   * end at once in one transaction share a turn: each has told of its end before the turn counts what is on its way.
   */
  beginNext(tx: SqlTransaction, publish: Publish, tenant: string): Promise<void> {
    const turns = this.#turns.get(tx) ?? new Map<string, Promise<void>>();
    this.#turns.set(tx, turns);
    const queued = turns.get(tenant);
    if (queued) return queued;
    const turn = Promise.resolve().then(() => {
      turns.delete(tenant);
      return this.#start(tx, publish, this.waiting.next(tenant, this.#mostOf(tenant)));
    });
    turns.set(tenant, turn);
    return turn;
  }

  /** Tells of tenants with ingestions that another copy may have begun. */
  noteActive(tenants: readonly string[]): void {
    for (const tenant of tenants) this.#active.note(tenant);
  }

  /** Whether others than this tenant have sent documents lately. */
  sharesWithOthers(tenant: string): boolean {
    return this.#active.hasOthersThan(tenant);
  }

  /** Tells the saga of a version what happened. @returns false when it no longer waits for it. */
  deliver(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    version: number | bigint,
    input: SagaInput<Ingestion> | InputFrom<Ingestion>,
  ): Promise<boolean> {
    return this.engine.deliver(tx, publish, ingestionId(currentTenant(), id, version), input);
  }

  /**
   * Does work of the step that reads a version. Its turn at the parsers may come late when many large files came before it, so
   * the saga is told now and then that somebody is at it, and callers see it processed; until `signal` ends that.
   */
  async reading<T>({ id, version }: Read, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const tenant = currentTenant();
    const saga = ingestionId(tenant, id, version);
    const progress = { kind: 'progress', step: 'chunk', data: {} } as const;
    const telling = new PeriodicTask(async () => {
      const told = this.database.transaction(async (tx) => {
        if (await this.engine.deliver(tx, () => undefined, saga, progress)) showReading(tx, tenant, id, version);
      });
      await told.catch(() => undefined); // the next one may get through
    }, TOLD_EVERY_MS);
    const stop = (): void => void telling.stop();
    telling.start(SHOWN_AFTER_MS);
    signal.addEventListener('abort', stop, { once: true });
    return work().finally(() => {
      stop();
      signal.removeEventListener('abort', stop);
    });
  }

  /** Whether the attempt has failed and what it did is not undone yet, with nothing known to stand in the way. */
  async isBeingUndone(id: string, version: number | bigint, sql: SqlRunner = this.database): Promise<boolean> {
    const { rows } = await sql.query<{ undone: boolean }>(
      `SELECT status = 'compensating' AND undo_error IS NULL AND attempts = 1 AS undone FROM saga WHERE name = $1 AND id = $2`,
      [ingestionSaga.name, ingestionId(currentTenant(), id, version)],
    );
    return rows[0]?.undone ?? false;
  }

  /**
   * Calls an ingestion off; one that waits ends without an event that tells of its beginning.
   * @returns false when there is none, or its version is being shown: that removes the one before, so it is not undone.
   */
  async abort(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    version: number | bigint,
    why: Omit<Abort, 'kind'>,
  ): Promise<boolean> {
    const [, aborted] = await Promise.all([
      this.engine.startEach(tx, publish, this.waiting.one(currentTenant(), id, version)),
      this.deliver(tx, publish, id, version, { kind: 'abort', ...why }),
    ]);
    return aborted;
  }

  /**
   * One batch more is indexed; after the last one the version is shown. Batches of another generation than the one readers
   * saw are not waited for.
   */
  batchIndexed(
    tx: SqlTransaction,
    publish: Publish,
    { documentId: id, version, batch, generation }: Indexed,
  ): Promise<boolean> {
    return this.engine.deliver(tx, publish, ingestionId(currentTenant(), id, version), ({ step, data }) => {
      if (step !== 'index' || data.indexed.includes(batch)) return undefined;
      if (!waitsFor(data, generation)) return undefined;
      const indexed = [...data.indexed, batch];
      return { kind: indexed.length === data.batches ? 'step-done' : 'progress', step, data: { indexed } };
    });
  }

  /** The index has nothing of a version any more: that was asked for, or it came to be before the version could be shown. */
  pointsRemoved(tx: SqlTransaction, publish: Publish, id: string, version: number | bigint): Promise<boolean> {
    return this.deliver(tx, publish, id, version, ({ status, step }) => {
      if (status === 'compensating') return { kind: 'undone', step: 'index' };
      return step === 'show' ? { kind: 'step-failed', error: REMOVED } : undefined;
    });
  }

  async #start(tx: SqlTransaction, publish: Publish, source: SagaSource): Promise<void> {
    await this.engine.startEach<FreshIngestion>(tx, publish, source, (begun) => {
      this.#active.note(begun.tenant);
      announce(publish, begun);
    });
  }

  /** Alone, a tenant may fill the pipeline; beside others, what is on its way is what their next upload waits for. */
  #mostOf(tenant: string): number {
    const { INGESTION_IN_FLIGHT: alone, INGESTION_IN_FLIGHT_SHARED: shared } = this.config;
    return this.sharesWithOthers(tenant) ? Math.min(alone, shared) : alone;
  }

  async #moved(tx: SqlTransaction, publish: Publish, state: SagaState<Ingestion>): Promise<void> {
    await showIngestion(tx, publish, state);
    if (state.status !== 'running') await this.beginNext(tx, publish, state.data.tenant);
  }
}

function announce(publish: Publish, { data, is_update: isUpdate, chunking }: FreshIngestion): void {
  const { documentId, version, collection } = data;
  const event = { documentId, version: BigInt(version), collection, ...(chunking ? { chunking } : {}) };
  if (isUpdate) publish(catalogue.documentUpdated, documentId, event);
  else publish(catalogue.documentCreated, documentId, event);
}
