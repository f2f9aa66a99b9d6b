/**
 * Does a piece of work round after round: the next one begins a pause after the last one has ended. So rounds neither overlap
 * nor pile up, however long one takes.
 */
export class PeriodicTask {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  /**
   * @param work one round, which reports its failures itself and never rejects; once `signal` aborts, it ends as soon as it can.
   * @param pauseMs between two rounds.
   */
  constructor(
    private readonly work: (signal: AbortSignal) => Promise<void>,
    private readonly pauseMs: number,
  ) {}

  /** @param firstInMs when the first round begins. */
  start(firstInMs = this.pauseMs): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#round = this.work(this.#stopping.signal).finally(() => this.start());
    }, firstInMs).unref();
  }

  /** No round begins from now on. Resolves once the one that runs has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#round;
  }
}
