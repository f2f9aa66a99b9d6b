import type { Socket } from 'node:net';
import type pg from 'pg';

/** How long a connection may be idle before the system asks the other side whether it is still there. */
export const KEEP_ALIVE_AFTER_MS = 10_000;

/** What pg keeps to itself: its socket, and whether the server owes no answer. */
interface Internals {
  readonly connection: { readonly stream: Socket };
  readonly readyForQuery: boolean;
}

/**
 * Breaks a connection on which the server owes an answer and nothing has moved for `longestMs`: a server that vanished
 * without a word cannot enforce its own limits. pg's `query_timeout` counts from the moment a statement is sent, so behind
 * others in a pipeline it would fail statements that only wait for their turn.
 * @param client connected.
 */
export function breakWhenSilent(client: pg.ClientBase, longestMs: number): void {
  const internals = client as unknown as Internals;
  const { stream } = internals.connection;
  stream.setTimeout(longestMs).on('timeout', () => {
    const { bytesRead } = stream;
    // A process that was stopped itself finds the answer waiting: it is read before this runs.
    setImmediate(() => {
      const isAwaited = !internals.readyForQuery || stream.writableEnded;
      if (isAwaited && stream.bytesRead === bytesRead) stream.destroy(new Error('Query read timeout'));
    });
  });
}
