/** How long to rest before the next round, in ms; nothing for the usual pause. */
export type Rest = number | void;

/**
 * Does a piece of work round after round: the next one begins a pause after the last one has ended. So rounds neither overlap
 * nor pile up, however long one takes.
 */
export class PeriodicTask {
  /** While rounds are to be done. */
  #stopping: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<unknown> = Promise.resolve();

  /**
   * @param work one round, which reports its failures itself and never rejects; once `signal` aborts, it ends as soon as it can.
   * @param pauseMs between two rounds, unless a round says otherwise.
   */
  constructor(
    private readonly work: (signal: AbortSignal) => Promise<Rest>,
    private readonly pauseMs: number,
  ) {}

  /** @param firstInMs when the first round begins. */
  start(firstInMs = this.pauseMs): void {
    if (this.#stopping) return;
    this.#stopping = new AbortController();
    this.#schedule(firstInMs, this.#stopping.signal);
  }

  /** No round begins from now on, until it is started again. Resolves once the one that runs has ended. */
  async stop(): Promise<void> {
    this.#stopping?.abort();
    this.#stopping = undefined;
    clearTimeout(this.#timer);
    await this.#round;
  }

  #schedule(inMs: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#round = this.work(signal).then((restMs) => this.#schedule(restMs ?? this.pauseMs, signal));
    }, inMs).unref();
  }
}
