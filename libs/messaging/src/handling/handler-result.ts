/** What a handler says happened. A failure is a thrown, typed error; silence is not an answer. */
export type HandlerResult = { readonly kind: 'ack' } | { readonly kind: 'skip'; readonly reason: string };

/** The event was handled. */
export const ack = (): HandlerResult => ({ kind: 'ack' });

/** There was nothing to do: superseded, already deleted, not ours. `reason` is logged and counted. */
export const skip = (reason: string): HandlerResult => ({ kind: 'skip', reason });
