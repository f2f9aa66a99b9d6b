import type pg from 'pg';
import type { SqlResult, SqlTransaction } from './sql-transaction.js';
import { statementName } from './statement-names.js';

/** SQLSTATE of a statement that came after the one that failed. */
const IN_FAILED_TRANSACTION = '25P02';

/** Runs one prepared statement; its error is the driver's. */
export async function runStatement<R>(
  runner: Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>,
  text: string,
  values: readonly unknown[] = [],
): Promise<SqlResult<R>> {
  const name = statementName(text);
  const statement = { text, values: [...values], ...(name && { name }) };
  const result = await (runner as pg.Pool).query(statement);
  return { rows: result.rows as R[], rowCount: result.rowCount ?? 0 };
}

/**
 * One transaction over a pipelining connection. `BEGIN`, writes and `COMMIT` are sent without waiting for what came before
 * them: everything said in one turn leaves in one packet. The server runs them in order and refuses all that follows an
 * error, so the first error is the cause and nothing behind it takes effect.
 */
export class PipelinedTransaction implements SqlTransaction {
  #failure: { readonly error: unknown } | undefined;
  #unanswered: Promise<unknown>[] = [];
  #corked = false;
  readonly #last = new Map<string, () => void>();

  constructor(private readonly client: pg.PoolClient) {
    this.#send('BEGIN');
  }

  query<R>(text: string, values?: readonly unknown[]): Promise<SqlResult<R>> {
    this.#cork();
    const answer = runStatement<R>(this.client, text, values);
    answer.catch((error: unknown) => void (this.#failure ??= { error }));
    return answer;
  }

  write(text: string, values?: readonly unknown[]): void {
    this.#cork();
    this.#keep(runStatement(this.client, text, values));
  }

  writeLast(key: string, text: string, values?: readonly unknown[]): void {
    this.#last.set(key, () => this.write(text, values));
  }

  /** @throws the error of the first statement that failed. */
  async commit(): Promise<void> {
    this.#cork();
    for (const key of [...this.#last.keys()].toSorted()) this.#last.get(key)!();
    const commit = this.client.query('COMMIT');
    this.#keep(commit);
    await this.#settle();
    // The server answers COMMIT of a failed transaction without an error.
    if ((await commit).command !== 'COMMIT') throw new Error('The transaction was rolled back by the server');
  }

  /**
   * Ends the transaction without effect; rejects when the connection is of no more use.
   * @returns the error that began it: a statement behind a failed write is only told that the transaction is aborted.
   */
  async rollback(seen: unknown): Promise<unknown> {
    await this.client.query('ROLLBACK');
    await Promise.all(this.#unanswered);
    const isConsequence = (seen as { code?: unknown } | undefined)?.code === IN_FAILED_TRANSACTION;
    return isConsequence && this.#failure ? this.#failure.error : seen;
  }

  #send(command: string): void {
    this.#cork();
    this.#keep(this.client.query(command));
  }

  #keep(answer: Promise<unknown>): void {
    this.#unanswered.push(answer.catch((error: unknown) => void (this.#failure ??= { error })));
  }

  async #settle(): Promise<void> {
    await Promise.all(this.#unanswered);
    this.#unanswered = [];
    if (this.#failure) throw this.#failure.error;
  }

  /** Holds packets back until this turn's work has said all it has to say. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    const { stream } = (this.client as unknown as { connection: { stream: NodeJS.WriteStream } }).connection;
    stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      stream.uncork();
    });
  }
}
