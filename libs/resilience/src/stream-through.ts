import type { CircuitBreaker } from './circuit-breaker.js';

/**
 * A stream through a breaker. It counts by its first item: once that is there, the dependency answers. A reader that stops
 * early ends the source.
 * @param open starts the source; its signal aborts when the reader stops or `signal` does.
 */
export async function* streamThrough<T>(
  breaker: CircuitBreaker,
  open: (signal: AbortSignal) => AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const stopped = new AbortController();
  const ends = signal ? AbortSignal.any([stopped.signal, signal]) : stopped.signal;
  let items: AsyncIterator<T> | undefined;
  try {
    const first = await breaker.run((late) => {
      items = open(AbortSignal.any([ends, late]))[Symbol.asyncIterator]();
      return items.next();
    }, signal);
    for (let next = first; !next.done; next = await items!.next()) yield next.value;
  } finally {
    stopped.abort();
    await items?.return?.();
  }
}
