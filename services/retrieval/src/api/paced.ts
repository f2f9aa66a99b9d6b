/** The side of a streaming call that writes. */
export interface WritableCall {
  readonly writableNeedDrain: boolean;
  once(event: 'drain' | 'cancelled', listener: () => void): unknown;
  off(event: 'drain' | 'cancelled', listener: () => void): unknown;
}

/**
 * Yields at the pace the reader reads: the framework would take whatever comes and keep what cannot be sent. So a slow reader
 * holds back the producer, and one that leaves lets it go on to find that out.
 */
export async function* paced<T>(messages: AsyncIterable<T>, call: WritableCall): AsyncGenerator<T> {
  for await (const message of messages) {
    yield message;
    if (call.writableNeedDrain) await readyForMore(call);
  }
}

function readyForMore(call: WritableCall): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      call.off('cancelled', done);
      resolve();
    };
    call.once('drain', done);
    call.once('cancelled', done);
  });
}
