import { randomBytes } from 'node:crypto';
import { startChatUpstream } from '../../services/gateway/test/chat-upstream.js';
import type { ApiClient } from '../../services/standalone/test/api-client.js';
import { newDataDir, removeDataDir, startMesh } from '../../services/standalone/test/mesh-fixture.js';

/** The ids that the mesh holds when it is asked: made-up requests name them too, by the parameters of their schema. */
const DOCUMENT = 'known-document';
/** So few that a key uses them up while operations are tried. */
const REQUESTS_PER_MINUTE = 40;
/** Wrong credentials go on being refused as that. */
const FAILED_ATTEMPTS = 100_000;

/** The eight services behind their edge, with a document, a collection, a conversation and an answer to be found. */
export interface FuzzedMesh {
  readonly url: string;
  readonly api: ApiClient;
  close(): Promise<void>;
}

/** One that asks for keys. */
export interface GuardedFuzzedMesh extends FuzzedMesh {
  /** May read, and that only so often. */
  readonly readerKey: string;
}

export const startFuzzedMesh = (): Promise<FuzzedMesh> => start({}, {});

/** What is forbidden, and what is too much, is refused as the document says. */
export async function startGuardedFuzzedMesh(): Promise<GuardedFuzzedMesh> {
  const first = `rgm_first_${randomBytes(32).toString('hex')}`;
  const headers = { 'x-api-key': first };
  const guards = {
    ...{ AUTH_MODE: 'keys', RAGMESH_BOOTSTRAP_KEY: first, AUTH_FAILED_ATTEMPTS: String(FAILED_ATTEMPTS) },
    QUOTA_KEY_REQUESTS_PER_MINUTE: String(REQUESTS_PER_MINUTE),
  };
  const mesh = await start(guards, headers);
  const reader = { name: 'reader', roles: ['reader'] };
  const { body } = await mesh.api.call('POST', '/v1/admin/keys', reader, headers);
  return { ...mesh, readerKey: body['key'] as string };
}

type Names = Readonly<Record<string, string>>;

/** Nothing leaves this machine: URLs are refused before their names are looked up, and the language model is scripted. */
async function start(guards: Names, headers: Names): Promise<FuzzedMesh> {
  const dataDir = await newDataDir();
  const upstream = await startChatUpstream(['It says so [1].']);
  const mesh = await startMesh(dataDir, {
    environment: {
      ...{ APP_LLM_BACKEND: 'openai', OPENAI_BASE_URL: upstream.url, LM_MODEL: 'stub' },
      ...{ EGRESS_PUBLIC: 'false', HF_HUB_OFFLINE: 'true' },
      ...guards,
    },
  });
  const { api } = mesh;
  const close = async (): Promise<void> => {
    await mesh.close();
    await upstream.close();
    await removeDataDir(dataDir);
  };
  await api.upload({ id: DOCUMENT, text: 'The notice period is three months.' }, { ...headers });
  await api.call('GET', `/v1/documents/${DOCUMENT}?wait=60`, undefined, { ...headers });
  const question = { query: 'How long is the notice period?', conversation_id: 'known-talk' };
  await api.call('POST', '/v1/query', question, { ...headers });
  return { url: api.url, api, close };
}
