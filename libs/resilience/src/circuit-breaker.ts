import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import Opossum from 'opossum';

export interface CircuitBreakerOptions {
  /** Longest run of one call; its signal is aborted then. */
  readonly timeoutMs?: number;
  /** Share of failed calls, in percent, that opens the circuit. */
  readonly errorThresholdPercent?: number;
  /** Calls within `windowMs` below which it never opens. */
  readonly minimumCalls?: number;
  readonly windowMs?: number;
  /** How long it stays open before one call may try again. */
  readonly resetMs?: number;
}

export type CircuitState = 'closed' | 'open' | 'half-open';

/** Calls to one dependency. While they fail, further ones are refused at once instead of queueing up behind it. */
export interface CircuitBreaker {
  readonly name: string;
  readonly state: CircuitState;
  /** @throws RagmeshError `DEPENDENCY.UNAVAILABLE` while open, `REQUEST.TIMEOUT` after `timeoutMs`; else `call`'s error. */
  run<T>(call: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  onStateChange(listener: (state: CircuitState) => void): void;
  shutdown(): void;
}

type Call = (signal: AbortSignal) => Promise<unknown>;

/** opossum's own timeout would leave the work running, so each call gets a signal and a timer of its own. */
async function callWithTimeout(name: string, timeoutMs: number, call: Call, caller?: AbortSignal): Promise<unknown> {
  const controller = new AbortController();
  const expired = new RagmeshError('REQUEST.TIMEOUT', `${name} gave no answer within ${timeoutMs} ms.`, { timeoutMs });
  const timer = setTimeout(() => controller.abort(expired), timeoutMs);
  const signal = caller === undefined ? controller.signal : AbortSignal.any([controller.signal, caller]);
  const aborted = new Promise<never>((_, reject) => {
    const refuse = (): void => reject(asAbortError(signal.reason));
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse, { once: true });
  });
  try {
    return await Promise.race([call(signal), aborted]);
  } finally {
    clearTimeout(timer);
  }
}

const asAbortError = (reason: unknown): RagmeshError =>
  isRagmeshError(reason)
    ? reason
    : new RagmeshError('REQUEST.CANCELLED', 'The caller went away.', {}, { cause: reason });

/** A caller's fault says nothing about the health of the dependency. */
const isCallersFault = (error: unknown): boolean => isRagmeshError(error) && error.retry === 'permanent';

/** One breaker for each dependency (and class of tenant or model), not for each call. */
export function circuitBreaker(name: string, options: CircuitBreakerOptions = {}): CircuitBreaker {
  const {
    timeoutMs = 10_000,
    errorThresholdPercent = 50,
    minimumCalls = 5,
    windowMs = 10_000,
    resetMs = 5_000,
  } = options;
  const breaker = new Opossum((call: Call, caller?: AbortSignal) => callWithTimeout(name, timeoutMs, call, caller), {
    name,
    timeout: false,
    errorThresholdPercentage: errorThresholdPercent,
    volumeThreshold: minimumCalls,
    rollingCountTimeout: windowMs,
    resetTimeout: resetMs,
    errorFilter: isCallersFault,
  });
  return {
    name,
    get state() {
      if (breaker.opened) return 'open';
      return breaker.halfOpen ? 'half-open' : 'closed';
    },
    async run<T>(call: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
      try {
        return (await breaker.fire(call, signal)) as T;
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EOPENBREAKER') throw error;
        const details = { dependency: name, retryAfter: Math.ceil(resetMs / 1000) };
        throw new RagmeshError(
          'DEPENDENCY.UNAVAILABLE',
          `${name} is failing; calls to it pause for a moment.`,
          details,
        );
      }
    },
    onStateChange(listener) {
      breaker.on('open', () => listener('open'));
      breaker.on('halfOpen', () => listener('half-open'));
      breaker.on('close', () => listener('closed'));
    },
    shutdown: () => breaker.shutdown(),
  };
}
