/** What is needed of a gRPC call to notice that its caller went away. */
export interface Cancellable {
  once(event: 'cancelled', listener: () => void): unknown;
}

/** Aborts when the caller of a gRPC call goes away. */
export function cancelled(call: Cancellable): AbortSignal {
  const controller = new AbortController();
  call.once('cancelled', () => controller.abort());
  return controller.signal;
}
