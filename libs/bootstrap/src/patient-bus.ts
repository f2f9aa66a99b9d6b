import { setTimeout as delay } from 'node:timers/promises';
import { isRagmeshError, RagmeshError } from '@ragmesh/errors';
import {
  isKafkaOutage,
  type BusDriver,
  type OutgoingRecord,
  type PublishOutcome,
  type SubscribeOptions,
  type Subscription,
} from '@ragmesh/messaging';

type TopicSpecs = Parameters<BusDriver['provision']>[0];

const FIRST_PAUSE_MS = 200;
/** Drivers try for seconds before they say that nobody answers, so what waits on top of that may be short. */
const LONGEST_PAUSE_MS = 1_000;

export interface PatientBusOptions {
  /** Connects and makes the topics. Called again after failures that are not final. */
  connect(): Promise<BusDriver>;
  /** Told of these failures. */
  readonly onError: (error: unknown) => void;
  /** Ends all waiting, and leaves what is connected as it is until `close`. */
  readonly ending: AbortSignal;
}

/**
 * A bus that is there as soon as its brokers are: calls are served without it, for what happened meanwhile lies in the outbox.
 * Until then nothing can be published (`DEPENDENCY.UNAVAILABLE`), and whoever subscribes waits.
 */
export class PatientBus implements BusDriver {
  readonly connected: Promise<void>;
  readonly #closing = new AbortController();
  readonly #ending: AbortSignal;
  #bus: BusDriver | undefined;

  /**
   * @param withinMs how long the bus is waited for here: one that is there is connected before the first event.
   * @throws RagmeshError of a final refusal within that time; a later one rejects `connected`.
   */
  static async open(options: PatientBusOptions, withinMs: number): Promise<PatientBus> {
    const bus = new PatientBus(options);
    await Promise.race([bus.connected, delay(withinMs, undefined, { ref: false })]);
    return bus;
  }

  private constructor(private readonly options: PatientBusOptions) {
    this.#ending = AbortSignal.any([options.ending, this.#closing.signal]);
    this.connected = this.#patiently(() => this.#connect(), isTransient);
    this.connected.catch(() => undefined); // whoever asks is told
  }

  async provision(topics: TopicSpecs): Promise<void> {
    await this.connected;
    await this.#there().provision(topics);
  }

  partitionsOf(topic: string): number {
    return this.#there().partitionsOf(topic);
  }

  async publish(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]> {
    return this.#there().publish(records);
  }

  /**
   * Brokers may go away again between connecting and subscribing, which is no reason to end either. What they answer with is: who
   * would go on with calls alone would look well.
   */
  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    await this.connected;
    return this.#patiently(() => this.#unlessEnded(this.#there().subscribe(options)), isKafkaOutage);
  }

  /** Does not wait for brokers that do not answer: what they answer later is closed then. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#bus?.close();
  }

  async #connect(): Promise<void> {
    const connecting = this.options.connect();
    try {
      this.#bus = await this.#unlessEnded(connecting);
    } catch (error) {
      connecting.then((late) => late.close()).catch(() => undefined); // nobody waits for it any more
      throw error;
    }
    if (this.#closing.signal.aborted) await this.#bus.close();
  }

  async #unlessEnded<T>(work: Promise<T>): Promise<T> {
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (): void => reject(closed());
    this.#ending.addEventListener('abort', end);
    try {
      return await Promise.race([work, ended]);
    } finally {
      this.#ending.removeEventListener('abort', end);
    }
  }

  /** @param passes whether a failure is one that another try may not meet. */
  async #patiently<T>(work: () => Promise<T>, passes: (error: unknown) => boolean): Promise<T> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      if (this.#ending.aborted) throw closed();
      try {
        return await work();
      } catch (error) {
        if (this.#ending.aborted || !passes(error)) throw error;
        this.options.onError(error);
        await delay(pauseMs, undefined, { signal: this.#ending, ref: false }).catch(() => undefined); // the loop looks
      }
    }
  }

  #there(): BusDriver {
    if (this.#bus) return this.#bus;
    throw new RagmeshError('DEPENDENCY.UNAVAILABLE', 'No broker of the event bus has answered yet.');
  }
}

const closed = (): RagmeshError => new RagmeshError('STORAGE.UNAVAILABLE', 'The event bus has been closed.');

const isTransient = (error: unknown): boolean => isRagmeshError(error) && error.retry === 'transient';
