import { randomUUID } from 'node:crypto';
import { QdrantClient } from '@qdrant/js-client-rest';
import { FailingProxy } from './failing-proxy.js';
import { QdrantStandIn } from './qdrant-stand-in/qdrant-stand-in.js';

const real = process.env['QDRANT_URL'];
const apiKey = process.env['QDRANT_API_KEY'];

/** The real server where one is given, else the stand-in; names of this run only. */
export async function startQdrant() {
  const standIn = real === undefined ? await QdrantStandIn.start() : undefined;
  const proxy = await FailingProxy.start(real ?? standIn!.url);
  const client = new QdrantClient({ url: proxy.url, ...(apiKey && { apiKey }), checkCompatibility: false });
  const prefix = `spec-${randomUUID().slice(0, 8)}`;
  const names = async () =>
    (await client.getCollections()).collections.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  const env = {
    ...{ VECTOR_STORE: 'qdrant', QDRANT_URL: proxy.url, QDRANT_COLLECTION: prefix, QDRANT_TIMEOUT: '2s' },
    ...(apiKey && { QDRANT_API_KEY: apiKey }),
  };
  const stop = async (): Promise<void> => {
    proxy.down(false);
    for (const name of await names()) await client.deleteCollection(name);
    await proxy.stop();
    await standIn?.stop();
  };
  return { proxy, client, names, env, stop };
}

export type Qdrant = Awaited<ReturnType<typeof startQdrant>>;
