import type { TlsMaterial } from '@ragmesh/config';
import type { QdrantClient } from '@qdrant/js-client-rest';
import { Agent } from 'undici';

type Operation = (payload: unknown, init?: object) => Promise<unknown>;

/**
 * Has a client use authorities and a certificate of our own. It takes no such option, but each operation takes settings of
 * its request that go before the client's, and the dispatcher, which opens the connections, is one of them.
 */
export function useTls(client: QdrantClient, tls: TlsMaterial): Agent {
  // Times are bounded by the client's own signal, as with the dispatcher this one replaces.
  const dispatcher = new Agent({ connect: tls, bodyTimeout: 0, headersTimeout: 0, connections: 25 });
  const operations = client.api() as unknown as Record<string, Operation>;
  for (const [name, operation] of Object.entries(operations))
    operations[name] = (payload, init) => operation(payload, { ...init, dispatcher });
  return dispatcher;
}
