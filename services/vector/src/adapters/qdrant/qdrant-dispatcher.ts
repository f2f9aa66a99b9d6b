import type { TlsMaterial } from '@ragmesh/config';
import type { QdrantClient } from '@qdrant/js-client-rest';
import { Agent, type Dispatcher } from 'undici';

type Operation = (payload: unknown, init?: object) => Promise<unknown>;

/** Under which name {@link useDispatcher} hands on what a `Retry-After` said. */
export const KEPT_RETRY_AFTER = 'ragmesh-retry-after';

/**
 * The client reads a `Retry-After` by its first character: two minutes are a second to it, and a date is an error of its own
 * that no longer tells the status. Under another name it leaves the header alone, and hands it on with the status.
 */
const keepRetryAfter: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  const pass = handler.onResponseStart?.bind(handler);
  handler.onResponseStart = (controller, status, { 'retry-after': advice, ...headers }, message) =>
    pass?.(controller, status, advice === undefined ? headers : { ...headers, [KEPT_RETRY_AFTER]: advice }, message);
  return dispatch(options, handler);
};

/**
 * Has a client use connections of our own: with our authorities and certificate, if there are any, and without its reading of
 * `Retry-After`. It takes no such option, but each operation takes settings of its request that go before the client's, and the
 * dispatcher, which opens the connections, is one of them.
 */
export function useDispatcher(client: QdrantClient, tls: TlsMaterial | undefined): Agent {
  // Times are bounded by the client's own signal, as with the dispatcher this one replaces.
  const times = { bodyTimeout: 0, headersTimeout: 0, keepAliveTimeout: 10_000 };
  const agent = new Agent({ ...times, ...(tls && { connect: tls }), connections: 25 });
  const dispatcher = agent.compose(keepRetryAfter);
  const operations = client.api() as unknown as Record<string, Operation>;
  for (const [name, operation] of Object.entries(operations))
    operations[name] = (payload, init) => operation(payload, { ...init, dispatcher });
  return agent;
}
