import type { OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { currentContext, currentTenant, injectTrace } from '@ragmesh/observability';
import { STARTED, begin, decide, type SagaDecision } from './decide.js';
import { ONE_SAGA, startStatement, withinSaga, type FreshSaga, type SagaSource } from './saga-start.js';
import type { SagaDefinition, SagaError, SagaInput, SagaState, SagaStatus } from './saga-definition.js';

type Publish = OutboxWriter['publish'];

interface SagaRow {
  readonly status: SagaStatus;
  readonly step: string;
  readonly data: object;
  readonly error: SagaError | null;
  readonly undoing: SagaState<object>['undoing'];
  readonly attempts: number;
  readonly undoError: SagaError | null;
  readonly revision: number;
}

type Moved<Data> = Extract<SagaDecision<Data>, { kind: 'moved' }>;

const MOVE = `
  UPDATE saga SET status = $4, step = $5, data = $6, error = $7, undoing = $8, attempts = $9, undo_error = $10,
    revision = revision + 1, deadline = now() + $11 * interval '1 second', updated_at = now()
  WHERE name = $1 AND id = $2 AND revision = $3`;

/** A move that did not happen leaves no note. */
const MOVE_AND_NOTE = `
  WITH moved AS (${MOVE} RETURNING name, id)
  INSERT INTO saga_step (saga_name, saga_id, step, status, detail) SELECT name, id, $12, $13, $14 FROM moved`;

/** Finds a saga and locks it. One that is due is passed over when somebody has it, or its subject, locked: they move it. */
function findStatement({ join, lock }: SagaSubject, isDue: boolean): string {
  const [due, skip] = isDue ? ['AND s.deadline <= now()', 'SKIP LOCKED'] : ['', ''];
  return `
  SELECT s.status, s.step, s.data, s.error, s.undoing, s.attempts, s.undo_error AS "undoError", s.revision
  FROM saga s ${join} WHERE s.name = $1 AND s.id = $2 ${due} ${lock && `${lock} ${skip}`} FOR UPDATE OF s ${skip}`;
}

/** Called in the saga's transaction after each move, so that what people see changes with it. */
export type OnMoved<Data> = (tx: SqlTransaction, publish: Publish, id: string, state: SagaState<Data>) => Promise<void>;

/**
 * A row that the moves of a saga change besides it, and that is locked before the saga's own. Whoever changes that row first
 * and then tells the saga takes the locks in the same order; the other way round the two would wait for each other.
 */
export interface SagaSubject {
  /** Joins it to `saga s`, each of which has one. */
  readonly join: string;
  /** Of the join's alias: `FOR NO KEY UPDATE OF d`, say. */
  readonly lock: string;
}

const NO_SUBJECT: SagaSubject = { join: '', lock: '' };

/**
 * Keeps the sagas of one definition. Each input is decided and stored in the caller's transaction, under a row lock and a
 * revision, together with the messages it sends; two orchestrators cannot step on each other.
 */
export class SagaEngine<Data extends object> {
  readonly #find: string;
  readonly #findDue: string;

  constructor(
    readonly definition: SagaDefinition<Data>,
    private readonly onMoved: OnMoved<Data>,
    subject: SagaSubject = NO_SUBJECT,
  ) {
    this.#find = findStatement(subject, false);
    this.#findDue = findStatement(subject, true);
  }

  /** Starts a saga; a further start with the same id starts it over when it has ended, and is ignored when it has not. */
  async start(tx: SqlTransaction, publish: Publish, id: string, data: Data): Promise<boolean> {
    const { requestId, subject } = currentContext()!;
    const values = [id, currentTenant(), requestId, subject, injectTrace(), data];
    return (await this.startEach(tx, publish, { sql: ONE_SAGA, values })).length > 0;
  }

  /**
   * The same for each saga of a source, in one statement.
   * @param begun is told of each that begins, after its messages were sent, in its context.
   * @returns those that began.
   */
  async startEach<Row extends FreshSaga<Data>>(
    tx: SqlTransaction,
    publish: Publish,
    source: SagaSource,
    begun: (row: Row) => void = () => undefined,
  ): Promise<Row[]> {
    const { status, step, within, note } = firstOf(this.definition);
    const values = [...source.values, this.definition.name, status, step, within, note];
    const { rows } = await tx.query<Row>(startStatement(source), values);
    await Promise.all(
      rows.map((row) =>
        withinSaga(row, async () => {
          const decision = begin(this.definition, row.data);
          if (decision.kind === 'moved') await this.#followUp(tx, publish, row.id, decision);
          begun(row);
        }),
      ),
    );
    return rows;
  }

  /** Delivers an input. @returns false when the saga is unknown, has ended or does not wait for this. */
  async deliver(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    input: SagaInput<Data> | InputFrom<Data>,
  ): Promise<boolean> {
    const { rows } = await tx.query<SagaRow>(this.#find, [this.definition.name, id]);
    return this.#take(tx, publish, id, rows[0], input);
  }

  /** Fires the saga's deadline. @returns false when it has none that is over, or somebody moves the saga right now. */
  async timeOut(tx: SqlTransaction, publish: Publish, id: string): Promise<boolean> {
    const { rows } = await tx.query<SagaRow>(this.#findDue, [this.definition.name, id]);
    return this.#take(tx, publish, id, rows[0], { kind: 'timeout' });
  }

  async #take(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    row: SagaRow | undefined,
    input: SagaInput<Data> | InputFrom<Data>,
  ): Promise<boolean> {
    if (!row) return false;
    const state = row as unknown as SagaState<Data>;
    const given = typeof input === 'function' ? await input(state) : input;
    if (!given) return false;
    const decision = decide(this.definition, state, given);
    if (decision.kind === 'ignored') return false;
    this.#store(tx, { id, revision: row.revision, left: state.step }, decision);
    await this.#followUp(tx, publish, id, decision);
    return true;
  }

  /** Stores the move and, where there is something to note of the step it leaves, the note. */
  #store(
    tx: SqlTransaction,
    { id, revision, left }: { id: string; revision: number; left: string },
    { state: next, within, note }: Moved<Data>,
  ): void {
    const values = [
      this.definition.name,
      id,
      revision,
      next.status,
      next.step,
      next.data,
      next.error && JSON.stringify(next.error),
      next.undoing,
      next.attempts,
      next.undoError && JSON.stringify(next.undoError),
      within,
    ];
    if (note) tx.write(MOVE_AND_NOTE, [...values, left, note, noteDetail(next)]);
    else tx.write(MOVE, values);
  }

  async #followUp(tx: SqlTransaction, publish: Publish, id: string, { state, send }: Moved<Data>): Promise<void> {
    for (const { spec, subject, payload } of send) publish(spec, subject, payload as never);
    await this.onMoved(tx, publish, id, state);
  }
}

const noteDetail = ({ undoError, error }: SagaState<object>): string => (undoError ?? error)?.code ?? '';

/** What each saga of a definition begins with, whatever its data. */
function firstOf<Data extends object>(saga: SagaDefinition<Data>) {
  const { name: step, within } = saga.steps[0]!;
  return { status: 'running' satisfies SagaStatus, step, within, note: STARTED };
}

/** An input that depends on what the saga knows; undefined when there is nothing to tell it. */
export type InputFrom<Data> = (
  state: SagaState<Data>,
) => SagaInput<Data> | undefined | Promise<SagaInput<Data> | undefined>;
