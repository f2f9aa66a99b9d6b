/** What a statement gave: its rows, and how many rows it returned or changed. */
export interface SqlResult<R> {
  readonly rows: R[];
  readonly rowCount: number;
}

/** Runs statements whose outcome the caller waits for. */
export interface SqlRunner {
  /** @param values of `$1`, `$2`, … */
  query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<SqlResult<R>>;
}

/** The port that state, outbox, inbox and saga write through, so that they commit together. */
export interface SqlTransaction extends SqlRunner {
  /**
   * Sends a statement whose outcome nobody needs before the commit. It takes effect in the order of the calls and costs no
   * round trip of its own; when it fails, the transaction fails with its error.
   */
  write(text: string, values?: readonly unknown[]): void;
  /**
   * As {@link write}, but right before the commit, once for each key and in the order of keys: for rows that many transactions
   * change. Nobody waits for more than a commit then, nor for somebody who waits for him.
   */
  writeLast(key: string, text: string, values?: readonly unknown[]): void;
}
