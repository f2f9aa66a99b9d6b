import { startChatUpstream } from '../../services/gateway/test/chat-upstream.js';
import type { ApiClient } from '../../services/standalone/test/api-client.js';
import { newDataDir, removeDataDir, startMesh } from '../../services/standalone/test/mesh-fixture.js';

/** The ids that the mesh holds when it is asked: made-up requests name them too, by the parameters of their schema. */
const DOCUMENT = 'known-document';

/** The eight services behind their edge, with a document, a collection, a conversation and an answer to be found. */
export interface FuzzedMesh {
  readonly url: string;
  readonly api: ApiClient;
  close(): Promise<void>;
}

/** Nothing leaves this machine: URLs are refused before their names are looked up, and the language model is scripted. */
export async function startFuzzedMesh(): Promise<FuzzedMesh> {
  const dataDir = await newDataDir();
  const upstream = await startChatUpstream(['It says so [1].']);
  const mesh = await startMesh(dataDir, {
    environment: {
      ...{ APP_LLM_BACKEND: 'openai', OPENAI_BASE_URL: upstream.url, LM_MODEL: 'stub' },
      ...{ EGRESS_PUBLIC: 'false', HF_HUB_OFFLINE: 'true' },
    },
  });
  const { api } = mesh;
  const close = async (): Promise<void> => {
    await mesh.close();
    await upstream.close();
    await removeDataDir(dataDir);
  };
  await api.upload({ id: DOCUMENT, text: 'The notice period is three months.' });
  await api.terminal(DOCUMENT);
  await api.call('POST', '/v1/query', { query: 'How long is the notice period?', conversation_id: 'known-talk' });
  return { url: api.url, api, close };
}
