import type { OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { currentContext, currentTenant, injectTrace } from '@ragmesh/observability';
import { begin, decide, type SagaDecision } from './decide.js';
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

const MOVE_AND_NOTE = `
  WITH moved AS (${MOVE})
  INSERT INTO saga_step (saga_name, saga_id, step, status, detail) VALUES ($1, $2, $12, $13, $14)`;

const NOTE = 'INSERT INTO saga_step (saga_name, saga_id, step, status, detail) VALUES ($1, $2, $3, $4, $5)';

/** Called in the saga's transaction after each move, so that what people see changes with it. */
export type OnMoved<Data> = (tx: SqlTransaction, publish: Publish, id: string, state: SagaState<Data>) => Promise<void>;

/**
 * Locks what the moves of a saga change besides it, before the saga's own row. Whoever changes that first and then tells
 * the saga takes the locks in the same order; the other way round the two would wait for each other.
 */
export type LockSubject = (tx: SqlTransaction, id: string) => void;

/**
 * Keeps the sagas of one definition. Each input is decided and stored in the caller's transaction, under a row lock and a
 * revision, together with the messages it sends; two orchestrators cannot step on each other.
 */
export class SagaEngine<Data extends object> {
  constructor(
    readonly definition: SagaDefinition<Data>,
    private readonly onMoved: OnMoved<Data>,
    readonly lockSubject: LockSubject = () => undefined,
  ) {}

  /** Starts a saga; a further start with the same id starts it over when it has ended, and is ignored when it has not. */
  async start(tx: SqlTransaction, publish: Publish, id: string, data: Data): Promise<boolean> {
    const decision = begin(this.definition, data);
    if (decision.kind === 'ignored') return false;
    const { state, within } = decision;
    const { rows } = await tx.query(
      `INSERT INTO saga (name, id, tenant, request_id, trace, status, step, data, deadline)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 second')
       ON CONFLICT (name, id) DO UPDATE SET status = excluded.status, step = excluded.step, data = excluded.data,
         trace = excluded.trace, request_id = excluded.request_id, error = NULL, undoing = NULL, attempts = 1,
         undo_error = NULL, deadline = excluded.deadline, revision = saga.revision + 1, updated_at = now()
       WHERE saga.deadline IS NULL
       RETURNING id`,
      [
        this.definition.name,
        id,
        currentTenant(),
        currentContext()!.requestId,
        injectTrace(),
        state.status,
        state.step,
        state.data,
        within,
      ],
    );
    if (rows.length === 0) return false;
    if (decision.note) tx.write(NOTE, [this.definition.name, id, state.step, decision.note, noteDetail(state)]);
    await this.#followUp(tx, publish, id, decision);
    return true;
  }

  /** Delivers an input. @returns false when the saga is unknown, has ended or does not wait for this. */
  async deliver(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    input: SagaInput<Data> | InputFrom<Data>,
  ): Promise<boolean> {
    const { name } = this.definition;
    this.lockSubject(tx, id);
    const { rows } = await tx.query<SagaRow>(
      `SELECT status, step, data, error, undoing, attempts, undo_error AS "undoError", revision
       FROM saga WHERE name = $1 AND id = $2 FOR UPDATE`,
      [name, id],
    );
    const row = rows[0];
    if (!row) return false;
    const state = row as unknown as SagaState<Data>;
    const given = typeof input === 'function' ? input(state) : input;
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

/** An input that depends on what the saga knows; undefined when there is nothing to tell it. */
export type InputFrom<Data> = (state: SagaState<Data>) => SagaInput<Data> | undefined;
