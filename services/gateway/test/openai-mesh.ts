import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStandalone } from '@ragmesh/service-standalone';
import OpenAI from 'openai';
import { startChatUpstream, type ChatUpstream } from './chat-upstream.js';

/** What the language model says. */
export const pieces: readonly string[] = ['The lighthouse of Alvöra ', 'stands 41 metres tall [1].'];
export const fact = 'The lighthouse of Alvöra was built in 1873 and stands 41 metres tall.';
export const question = { role: 'user', content: 'How tall is the lighthouse of Alvöra?' } as const;

export type Json = Record<string, unknown>;

/** A mesh with a document in each of two collections, a scripted language model behind it and OpenAI's client before it. */
export interface OpenAiMesh {
  readonly url: string;
  readonly client: OpenAI;
  readonly upstream: ChatUpstream;
  /** @param body JSON; text is sent as it is. */
  post(path: string, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

export const read = async (response: Promise<Response>): Promise<Json> => (await (await response).json()) as Json;

export async function startOpenAiMesh(): Promise<OpenAiMesh> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-openai-'));
  const upstream = await startChatUpstream(pieces);
  const mesh = await startStandalone({
    environment: {
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: '0',
      APP_EMBEDDINGS_BACKEND: 'mock',
      APP_LLM_BACKEND: 'openai',
      OPENAI_BASE_URL: upstream.url,
      LM_MODEL: 'stub',
      LLM_PRICES: 'stub=1/10',
      HF_HUB_OFFLINE: 'true',
    },
  });
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(`${mesh.url}${path}`, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  await post('/v1/collections', { id: 'harbour' });
  await post('/index', { documents: [{ id: 'lighthouse', text: fact }] });
  await post('/index', { collection: 'harbour', documents: [{ id: 'buoy', text: 'The buoy of Alvöra is red.' }] });
  const client = new OpenAI({ baseURL: `${mesh.url}/v1`, apiKey: 'none', maxRetries: 0 });
  const close = async (): Promise<void> => {
    await mesh.close();
    await upstream.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url: mesh.url, client, upstream, post, close };
}
