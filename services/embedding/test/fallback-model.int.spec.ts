import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { embeddingV1 } from '@ragmesh/contracts';
import { modelService } from '@ragmesh/service-model';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { HubServer } from '../../model/test/hub-server.js';
import { embeddingService } from '../src/embedding.service.js';
import { SlowModel } from './slow-model.js';

/** What a search waits for the vector of its question: SEARCH_EMBED_TIMEOUT. */
const SEARCH_MS = 5_000;
const smaller = expect.stringMatching(/^all-MiniLM-L6-v2@/);

let mesh: ServiceMesh;
let own: string;
let hub: HubServer;
let provider: Server;
let slow: SlowModel;

const embed = () =>
  mesh.as('acme', () =>
    mesh.client(embeddingV1.EmbeddingService).embed({ texts: ['Which platform?'] }, { deadlineMs: SEARCH_MS }),
  );
const restart = async (environment: Record<string, string>) => {
  await mesh.halt('embedding');
  await mesh.run(embeddingService, {
    ...{ EMBEDDING_FALLBACK_MODEL: 'all-MiniLM-L6-v2', EMBEDDING_WORKERS: '1', ...environment },
  });
};
/**
 * The first answer there is: callers notice within a moment that a service they lost is back, and where loading the smaller model
 * takes longer than a search, the next search has it.
 */
const answer = () =>
  eventually('it answers', () =>
    embed().catch((error: { code?: string }) => {
      if (!['DEPENDENCY.UNAVAILABLE', 'REQUEST.TIMEOUT'].includes(error.code ?? '')) throw error;
    }),
  );

beforeAll(async () => {
  mesh = await ServiceMesh.start();
  own = await mkdtemp(join(tmpdir(), 'ragmesh-own-models-'));
  slow = await SlowModel.write(join(own, 'slow'), 'slow');
  hub = await HubServer.start('acme/large', {
    'config.json': JSON.stringify({ architectures: ['BertModel'], hidden_size: 32 }),
    'tokenizer.json': '{}',
    'onnx/model.onnx': Buffer.alloc(100_000, 7),
  });
  provider = createServer(() => undefined);
  await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done));
  await mesh.run(modelService, {
    ...{ RAGMESH_MODELS_DIR: own, MODEL_CACHE_DIR: join(own, '.hub') },
    ...{ HF_ENDPOINT: hub.url, HUB_ALLOWED_HOSTS: hub.cdnHost },
  });
});
afterEach(() => {
  hub.faults.statuses = [];
});
afterAll(async () => {
  await mesh.halt('embedding');
  await hub.close();
  provider.closeAllConnections();
  provider.close();
  await mesh.stop();
  await rm(own, { recursive: true });
});

describe('within the time of a search, the smaller model answers', () => {
  it('while the model is being downloaded', async () => {
    hub.faults.silent = true;
    await restart({ EMBEDDING_MODEL: 'acme/large' });
    expect(await answer()).toMatchObject({ model: smaller });
  });

  it('while the hub fails again and again', async () => {
    hub.faults.statuses = Array.from({ length: 10_000 }, () => ({ status: 503 }));
    await restart({ EMBEDDING_MODEL: 'acme/large@v2' });
    await eventually('the hub was asked several times', () => hub.count('GET /api/models/acme/large/revision/v2') >= 3);
    expect(await answer()).toMatchObject({ model: smaller });
  });

  it('while the model is being loaded into memory', async () => {
    await restart({ EMBEDDING_MODEL: 'slow' });
    try {
      expect(await answer()).toMatchObject({ model: smaller });
    } finally {
      slow.release();
    }
  });

  it('while the provider of vectors is silent', async () => {
    const { port } = provider.address() as AddressInfo;
    const environment = { APP_EMBEDDINGS_BACKEND: 'openai', OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` };
    await restart({ ...environment, EMBEDDING_MODEL: 'remote' });
    expect(await answer()).toMatchObject({ model: smaller });
  });
});
