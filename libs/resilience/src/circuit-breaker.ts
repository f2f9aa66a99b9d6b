import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import Opossum from 'opossum';
import { registerBreaker } from './breaker-registry.js';
import { advisedPauseMs } from './retry-after.js';

export interface CircuitBreakerOptions {
  /** Whose calls these are; shows the breaker to the operators of that service. */
  readonly service?: string;
  /** Longest run of one call; its signal is aborted then. `Infinity` where the call has a deadline of its own. */
  readonly timeoutMs?: number;
  /** Whether an error says that the dependency is ill. Default: every error that is not the caller's fault. */
  readonly isFailure?: (error: unknown) => boolean;
  /** Share of failed calls, in percent, that opens the circuit. */
  readonly errorThresholdPercent?: number;
  /** Calls within `windowMs` below which it never opens. */
  readonly minimumCalls?: number;
  readonly windowMs?: number;
  /** How long it stays open before one call may try again, and after how long without an outcome the next one may as well. */
  readonly resetMs?: number;
}

export type CircuitState = 'closed' | 'open' | 'half-open';

/** Calls to one dependency. While they fail, further ones are refused at once instead of queueing up behind it. */
export interface CircuitBreaker {
  readonly name: string;
  readonly state: CircuitState;
  /** How long it has been in this state. */
  readonly stateSeconds: number;
  /** Calls of the running window. */
  readonly recent: { readonly calls: number; readonly failures: number; readonly refused: number };
  /**
   * @throws RagmeshError `DEPENDENCY.UNAVAILABLE` while open, with the `retryAfter` of the dependency where that is later than the
   *   next try; `REQUEST.TIMEOUT` after `timeoutMs`; else `call`'s error.
   */
  run<T>(call: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  onStateChange(listener: (state: CircuitState) => void): void;
  shutdown(): void;
}

type Call = (signal: AbortSignal) => Promise<unknown>;

/** opossum's own timeout would leave the work running, so each call gets a signal and a timer of its own. */
async function callWithTimeout(name: string, timeoutMs: number, call: Call, caller?: AbortSignal): Promise<unknown> {
  const controller = new AbortController();
  const expire = (): void => {
    const message = `${name} gave no answer within ${timeoutMs} ms.`;
    controller.abort(new RagmeshError('REQUEST.TIMEOUT', message, { timeoutMs }));
  };
  const timer = Number.isFinite(timeoutMs) ? setTimeout(expire, timeoutMs) : undefined;
  const signal = caller === undefined ? controller.signal : AbortSignal.any([controller.signal, caller]);
  const aborted = Promise.withResolvers<never>();
  const refuse = (): void => aborted.reject(asAbortError(signal.reason));
  if (signal.aborted) refuse();
  signal.addEventListener('abort', refuse, { once: true });
  try {
    return await Promise.race([call(signal), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', refuse);
    clearTimeout(timer);
  }
}

const asAbortError = (reason: unknown): RagmeshError =>
  isRagmeshError(reason)
    ? reason
    : new RagmeshError('REQUEST.CANCELLED', 'The caller went away.', {}, { cause: reason });

/** A caller's fault says nothing about the health of the dependency. */
const isCallersFault = (error: unknown): boolean => isRagmeshError(error) && error.retry === 'permanent';

type Options = Required<Omit<CircuitBreakerOptions, 'service'>>;

const defaults: Options = {
  timeoutMs: 10_000,
  errorThresholdPercent: 50,
  minimumCalls: 5,
  windowMs: 10_000,
  resetMs: 5_000,
  isFailure: (error) => !isCallersFault(error),
};

/** One breaker for each dependency (and class of tenant or model), not for each call. */
export function circuitBreaker(name: string, options: CircuitBreakerOptions = {}): CircuitBreaker {
  const breaker = new OpossumBreaker(name, { ...defaults, ...options });
  if (options.service) breaker.onShutdown = registerBreaker(options.service, breaker);
  return breaker;
}

class OpossumBreaker implements CircuitBreaker {
  readonly #breaker: Opossum<[Call, AbortSignal?]>;
  #since = performance.now();
  /** When the last call began that was let through to try. */
  #triedAt = 0;
  /** Until when the dependency asked to be left alone. */
  #askedUntil = 0;
  onShutdown: () => void = () => undefined;

  constructor(
    readonly name: string,
    private readonly options: Options,
  ) {
    const { timeoutMs, isFailure } = options;
    const fire = (call: Call, caller?: AbortSignal): Promise<unknown> => callWithTimeout(name, timeoutMs, call, caller);
    this.#breaker = new Opossum(fire, {
      name,
      timeout: false,
      errorThresholdPercentage: options.errorThresholdPercent,
      volumeThreshold: options.minimumCalls,
      rollingCountTimeout: options.windowMs,
      resetTimeout: options.resetMs,
      errorFilter: (error) => !isFailure(error),
    });
    this.onStateChange(() => void (this.#since = performance.now()));
  }

  get state(): CircuitState {
    if (this.#breaker.opened) return 'open';
    return this.#breaker.halfOpen ? 'half-open' : 'closed';
  }

  get stateSeconds(): number {
    return (performance.now() - this.#since) / 1000;
  }

  get recent(): CircuitBreaker['recent'] {
    const { fires, failures, rejects } = this.#breaker.stats;
    return { calls: fires, failures, refused: rejects };
  }

  async run<T>(call: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      const result = (await this.#fire(call, signal)) as T;
      this.#askedUntil = 0;
      return result;
    } catch (error) {
      const now = performance.now();
      if ((error as { code?: unknown }).code !== 'EOPENBREAKER') {
        if (this.options.isFailure(error)) this.#askedUntil = Math.max(this.#askedUntil, now + advisedPauseMs(error));
        throw error;
      }
      // Whoever is refused here was asked to wait like those that were let through.
      const waitMs = Math.max(this.options.resetMs, this.#askedUntil - now);
      const details = { dependency: this.name, retryAfter: Math.ceil(waitMs / 1000) };
      const message = `${this.name} is failing; calls to it pause for a moment.`;
      throw new RagmeshError('DEPENDENCY.UNAVAILABLE', message, details);
    }
  }

  /** A call that may run for minutes says nothing until it ends, so it must not be the only one that tries. */
  #fire(call: Call, caller?: AbortSignal): Promise<unknown> {
    const { halfOpen, pendingClose } = this.#breaker;
    const now = performance.now();
    const isOverdue = halfOpen && !pendingClose && now - this.#triedAt >= this.options.resetMs;
    if (pendingClose || isOverdue) this.#triedAt = now;
    return isOverdue ? this.#tryBeside(call, caller) : this.#breaker.fire(call, caller);
  }

  /** opossum itself lets a single call through while half-open; another one counts by the events that it counts by. */
  async #tryBeside(call: Call, caller?: AbortSignal): Promise<unknown> {
    const { timeoutMs, isFailure } = this.options;
    const breaker = this.#breaker;
    breaker.emit('fire', [call, caller]);
    try {
      const result = await callWithTimeout(this.name, timeoutMs, call, caller);
      breaker.emit('success', result);
      return result;
    } catch (error) {
      breaker.emit(isFailure(error) ? 'failure' : 'success', error);
      if (isFailure(error) && breaker.halfOpen) breaker.open();
      throw error;
    }
  }

  onStateChange(listener: (state: CircuitState) => void): void {
    this.#breaker.on('open', () => listener('open'));
    this.#breaker.on('halfOpen', () => listener('half-open'));
    this.#breaker.on('close', () => listener('closed'));
  }

  shutdown(): void {
    this.onShutdown();
    this.#breaker.shutdown();
  }
}
