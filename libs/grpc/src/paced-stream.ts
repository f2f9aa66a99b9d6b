import { Observable } from 'rxjs';

/** The writing side of a call: `drain` comes once `writableNeedDrain` has been true. */
export interface Outlet {
  readonly writableNeedDrain: boolean;
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

/**
 * A stream of replies that takes the next one from its source only while the reader keeps up; Nest alone would take
 * everything and buffer it. A reader that goes away ends the source.
 */
export function pacedStream<T>(source: AsyncIterable<T>, outlet: Outlet): Observable<T> {
  return new Observable((subscriber) => {
    const gone = new AbortController();
    const pump = async (): Promise<void> => {
      for await (const item of source) {
        if (gone.signal.aborted) return;
        subscriber.next(item);
        if (outlet.writableNeedDrain) await drained(outlet, gone.signal);
        if (gone.signal.aborted) return; // leaving the loop ends the source
      }
      subscriber.complete();
    };
    pump().catch((error: unknown) => subscriber.error(error));
    return () => gone.abort();
  });
}

function drained(outlet: Outlet, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      outlet.off('drain', go);
      gone.removeEventListener('abort', go);
      resolve();
    };
    outlet.once('drain', go);
    gone.addEventListener('abort', go, { once: true });
  });
}
