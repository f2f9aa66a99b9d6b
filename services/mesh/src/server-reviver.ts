import { setTimeout as delay } from 'node:timers/promises';
import { RagmeshError } from '@ragmesh/errors';

/** Before each attempt; together half a minute, as long as PostgreSQL is given. */
const PAUSES_MS = [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] as const;
/** A server that ran this long has recovered; its next end is a new story. */
const STEADY_MS = 30_000;

/** Where the story of a server is told. */
export interface ServerNews {
  /** Told what a person should know: an end, a return. */
  readonly say: (sentence: string) => void;
  /** Told when the server was lost for good. */
  readonly onLost: (error: unknown) => void;
}

/** Starts a server again that ended without being asked to, with growing pauses, says so, and gives up after the last of them. */
export class ServerReviver {
  readonly #stopping = new AbortController();
  #reviving: Promise<void> | undefined;
  #attempts = 0;
  #answersSince = performance.now();

  constructor(
    private readonly name: string,
    /** Resolves once the server answers again. */
    private readonly start: () => Promise<void>,
    private readonly news: ServerNews,
    private readonly pausesMs: readonly number[] = PAUSES_MS,
  ) {}

  /** @param how it ended, as a sentence goes on after its name. */
  ended(how: string): void {
    this.#reviving = this.#revive(how);
  }

  /** From here on an end is no news. Resolves once no attempt is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reviving;
  }

  async #revive(how: string): Promise<void> {
    if (performance.now() - this.#answersSince > STEADY_MS) this.#attempts = 0;
    for (let last: string | undefined = how; last !== undefined && !this.#stopping.signal.aborted;) {
      last = await this.#attempt(last);
    }
  }

  /** Says why it is not back, or nothing when there is no more to do. */
  async #attempt(why: string): Promise<string | undefined> {
    const { name, news } = this;
    const pauseMs = this.pausesMs[this.#attempts++];
    if (pauseMs === undefined) {
      const story = `${name} ${why}, and was started again ${this.pausesMs.length} times before.`;
      return void news.onLost(new RagmeshError('DEPENDENCY.UNAVAILABLE', story));
    }
    news.say(`${name} ${why} and starts again in ${pauseMs} ms`);
    await delay(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined); // a stop need not wait
    if (this.#stopping.signal.aborted) return undefined;
    const begun = performance.now();
    try {
      await this.start();
      this.#answersSince = performance.now();
    } catch (error) {
      return `did not come back (${(error as Error).message})`;
    }
    news.say(`${name} is back after ${((this.#answersSince - begun) / 1_000).toFixed(1)} s`);
    return undefined;
  }
}
