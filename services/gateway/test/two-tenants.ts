import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Drivers } from '@ragmesh/bootstrap';
import { serviceNames } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { startStandalone } from '@ragmesh/service-standalone';
import { eventually } from '@ragmesh/testing';
import { publishBrokenBatch } from './broken-batch.js';
import { startChatUpstream } from './chat-upstream.js';
import { AUDIENCE, ISSUER, startIdentityProvider, type IdentityProvider } from './identity-provider.js';

export type Json = Record<string, unknown>;

/** One request; GET and DELETE have no body. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

export interface Reply {
  readonly status: number;
  readonly type: string | null;
  /** Without those that differ between any two answers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly json: Json;
}

/** Sends requests with a credential. */
export type Caller = (call: Call, headers?: Readonly<Record<string, string>>) => Promise<Reply>;

/** A mesh that asks for API keys or tokens, and the key from its configuration. */
export interface GuardedMesh {
  readonly url: string;
  readonly drivers: Drivers;
  /** Of the configuration. */
  readonly bootstrapKey: string;
  readonly logFile: string;
  readonly identity: IdentityProvider;
  as(key: string): Caller;
  /** Makes a key as the one from the configuration may. */
  makeKey(fields: Json): Promise<{ readonly id: string; readonly key: string }>;
  close(): Promise<void>;
}

/** Its services can be called by others, too, as those of a mesh. */
export async function startGuardedMesh(environment: Record<string, string> = {}): Promise<GuardedMesh> {
  const bootstrapKey = `rgm_first_${randomBytes(32).toString('hex')}`;
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-tenants-'));
  const upstream = await startChatUpstream(['It says so [1].']);
  const identity = await startIdentityProvider();
  const ports = await freePorts(serviceNames.length);
  const addresses = new Map<string, string>(serviceNames.map((name, at) => [name, `127.0.0.1:${ports[at]}`]));
  let drivers: Drivers | undefined;
  const mesh = await startStandalone({
    environment: {
      ...environment,
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: '0',
      AUTH_MODE: 'keys+jwt',
      AUTH_JWT_JWKS_URL: identity.jwksUrl,
      AUTH_JWT_ISSUER: ISSUER,
      AUTH_JWT_AUDIENCE: AUDIENCE,
      RAGMESH_BOOTSTRAP_KEY: bootstrapKey,
      AUTH_KEY_CACHE_SECONDS: '1',
      APP_EMBEDDINGS_BACKEND: 'mock',
      APP_LLM_BACKEND: 'openai',
      OPENAI_BASE_URL: upstream.url,
      LM_MODEL: 'stub',
      HF_HUB_OFFLINE: 'true',
    },
    wrapDrivers: (given) => (drivers = { ...given, grpcAddress: (service) => addresses.get(service)! }),
  });
  const as =
    (key: string): Caller =>
    async ({ method, path, body }, headers = {}) => {
      const response = await fetch(mesh.url + path, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const json = text.startsWith('{') ? (JSON.parse(text) as Json) : {};
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        headers: headersOf(response),
        text,
        json,
      };
    };
  const makeKey = async (body: Json): Promise<{ id: string; key: string }> => {
    const { status, text, json } = await as(bootstrapKey)({ method: 'POST', path: '/v1/admin/keys', body });
    if (status !== 201) throw new Error(`No key: ${text}`);
    return json as { id: string; key: string };
  };
  const close = async (): Promise<void> => {
    await mesh.close();
    await upstream.close();
    await identity.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url: mesh.url, drivers: drivers!, bootstrapKey, logFile: mesh.logFile, identity, as, makeKey, close };
}

const everChanging = new Set(['date', 'x-request-id', 'content-length', 'keep-alive', 'connection']);
const headersOf = (response: Response): Record<string, string> =>
  Object.fromEntries([...response.headers].filter(([name]) => !everChanging.has(name)));

/** Ids of what a tenant has; every name begins with its tenant's, so that it can be found in any answer. */
export interface Owned {
  readonly document: string;
  /** One more, for requests that make something under its id. */
  readonly otherDocument: string;
  readonly collection: string;
  readonly otherCollection: string;
  readonly operation: string;
  readonly conversation: string;
  readonly otherConversation: string;
  readonly answer: string;
  readonly key: string;
  /** Owner of a key. */
  readonly user: string;
  readonly letter: string;
  readonly saga: string;
  readonly model: string;
}

export const WORD = 'zanzibar';

/** Gives a tenant one of everything. */
export async function furnish(mesh: GuardedMesh, tenant: string, key: { id: string; key: string }): Promise<Owned> {
  const call = mesh.as(key.key);
  const must = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const reply = await call({ method, path, body });
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    return reply.json;
  };
  const names = {
    document: `${tenant}-paper`,
    otherDocument: `${tenant}-note`,
    collection: `${tenant}-archive`,
    otherCollection: `${tenant}-attic`,
    conversation: `${tenant}-talk`,
    otherConversation: `${tenant}-chat`,
  };
  for (const id of [names.collection, names.otherCollection]) await must('POST', '/v1/collections', { id });
  const text = `The ${WORD} protocol of ${tenant} pays 4711 crowns.`;
  const upload = { text, metadata: { owner: tenant } };
  const accepted = await must('POST', '/v1/documents', { ...upload, id: names.document, collection: names.collection });
  await must('POST', '/v1/documents', { ...upload, id: names.otherDocument });
  for (const id of [names.document, names.otherDocument]) {
    const { status } = await must('GET', `/v1/documents/${id}?wait=60`);
    if (status !== 'ready') throw new Error(`${id} is ${String(status)}`);
  }
  for (const id of [names.conversation, names.otherConversation]) await must('POST', '/v1/conversations', { id });
  const question = { query: `What does the ${WORD} protocol pay?`, conversation_id: names.conversation };
  const { request_id: answer } = await must('POST', '/v1/query', question);
  const user = `${tenant}-ada`;
  await must('POST', '/v1/admin/keys', { name: 'of a user', roles: ['reader'], owner: user });
  await must('POST', '/v1/feedback', { request_id: answer, rating: 'up', comment: `${tenant} likes it` });
  const letter = await giveUpAnEvent(mesh, tenant, call);
  const { data: sagas } = await must('GET', '/v1/admin/sagas?state=completed');
  const [saga] = sagas as { id: string }[];
  const { id: operation } = accepted['operation'] as { id: string };
  return {
    ...names,
    operation,
    answer: String(answer),
    key: key.id,
    user,
    letter,
    saga: saga!.id,
    model: encodeURIComponent(`ragmesh/${names.collection}`),
  };
}

/** An event of the tenant that nobody can handle; gives the id of its dead letter. */
async function giveUpAnEvent({ drivers }: GuardedMesh, tenant: string, call: Caller): Promise<string> {
  const subject = `${tenant}-broken`;
  const headers = { ce_correlation: 'spec' };
  await publishBrokenBatch(drivers.bus, { documentId: subject, tenant, words: 'x', headers });
  const letter = await eventually('the event is given up', async () => {
    const { json } = await call({ method: 'GET', path: `/v1/admin/dead-letters?subject=${subject}` });
    return (json['data'] as { id: string }[])[0];
  });
  return letter.id;
}
