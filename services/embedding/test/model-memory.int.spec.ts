import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { catalogue, modelV1 } from '@ragmesh/contracts';
import type { GrpcClients } from '@ragmesh/grpc';
import { createLogger } from '@ragmesh/observability';
import { modelService } from '@ragmesh/service-model';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { HubServer } from '../../model/test/hub-server.js';
import { ModelMemory } from '../src/adapters/model-memory.js';
import { ModelRegistry } from '../src/adapters/model-registry.js';
import { embeddingConfig } from '../src/embedding.config.js';
import { SlowModel } from './slow-model.js';
import { writeTinyEncoder } from './tiny-encoder.js';

interface Line {
  readonly level: string;
  readonly code?: string;
  readonly model?: string;
  readonly err?: { readonly message: string };
}

const closing = new AbortController();
const lines: Line[] = [];
let mesh: ServiceMesh;
let own: string;
let hub: HubServer;
let memory: ModelMemory;
const opened: { readonly registry: ModelRegistry; readonly memory: ModelMemory }[] = [];

function memoryOf(environment: Record<string, string> = {}): ModelMemory {
  const logger = createLogger('embedding', 'info', { write: (line) => void lines.push(JSON.parse(line) as Line) });
  const config = loadConfig(embeddingConfig, { EMBEDDING_WORKERS: '1', ...environment });
  const clients: Pick<GrpcClients, 'of'> = { of: (service) => mesh.client(service) };
  const registry = new ModelRegistry(clients as GrpcClients, config);
  opened.push({ registry, memory: new ModelMemory(registry, config, logger) });
  return opened.at(-1)!.memory;
}
const load = (model: string, localOnly = false) => memory.load(model, { signal: closing.signal, localOnly });

beforeAll(async () => {
  mesh = await ServiceMesh.start('model.unloaded');
  own = await mkdtemp(join(tmpdir(), 'ragmesh-own-models-'));
  hub = await HubServer.start('acme/large', {});
  await mesh.run(modelService, {
    ...{ RAGMESH_MODELS_DIR: own, MODEL_CACHE_DIR: join(own, '.hub'), HF_ENDPOINT: hub.url },
  });
  memory = memoryOf();
});
beforeEach(() => void lines.splice(0));
afterAll(async () => {
  closing.abort();
  for (const each of opened) {
    await each.memory.onApplicationShutdown();
    each.registry.onModuleDestroy();
  }
  await hub.close();
  await mesh.stop();
  await rm(own, { recursive: true });
});

describe('a model that cannot be had', () => {
  it('tells once why a model cannot be had, however often it is asked for', async () => {
    await expect(load('no-such-model')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    await expect(load('no-such-model')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    expect(lines).toMatchObject([{ level: 'error', model: 'no-such-model', code: 'MODEL.NOT_FOUND' }]);
  });

  it('tells each cause of its own', async () => {
    await mkdir(join(own, 'cut'));
    await writeFile(join(own, 'cut/manifest.json'), '{');
    await expect(load('cut')).rejects.toMatchObject({ code: 'MODEL.CORRUPT' });
    await rm(join(own, 'cut'), { recursive: true });
    await expect(load('cut')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    expect(lines).toMatchObject([
      { code: 'MODEL.CORRUPT', err: { message: expect.stringContaining('manifest') } },
      { code: 'MODEL.NOT_FOUND' },
    ]);
  });

  it('tells what it goes on trying at, and nothing of names that callers made up', async () => {
    hub.faults.statuses = Array.from({ length: 1_000 }, () => ({ status: 503 }));
    load('acme/large').catch(() => undefined);
    await eventually('the hub was asked again', () => hub.requests.length >= 3);
    await expect(load('made-up', true)).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    expect(lines).toMatchObject([{ level: 'warn', model: 'acme/large', code: 'MODEL.DOWNLOAD_FAILED' }]);
  });
});

describe('two models that are loaded at once', () => {
  const bundled = 'all-MiniLM-L6-v2';

  it('are loaded beside each other, or where there is no room for both, one after the other', async () => {
    const slow = await SlowModel.write(join(own, 'slow'), 'slow');
    const ask = () => mesh.client(modelV1.ModelService).resolveModel({ name: bundled });
    const { bytes } = await mesh.as('acme', ask);
    const tight = memoryOf({ EMBEDDING_MEMORY_BUDGET: String(bytes) });
    const roomy = memoryOf();
    const { signal } = closing;
    const hanging = [tight, roomy].map((each) => each.load('slow', { signal }).catch((error: unknown) => error));
    const waiting = tight.load(bundled, { signal });
    await roomy.load(bundled, { signal });
    slow.release();
    expect(await Promise.all(hanging)).toMatchObject([
      { code: 'EMBEDDING.UNAVAILABLE' },
      { code: 'EMBEDDING.UNAVAILABLE' },
    ]);
    expect(await waiting).toMatchObject({ model: expect.stringContaining(bundled) });
  });
});

describe('two models where there is room for one', () => {
  it('give way to each other, the one that was used longer ago, and say so', async () => {
    const names = ['tiny-a', 'tiny-b'] as const;
    for (const name of names) await writeTinyEncoder(join(own, name), name, 8);
    const resolved = await mesh.as('acme', () =>
      Promise.all(names.map((name) => mesh.client(modelV1.ModelService).resolveModel({ name }))),
    );
    const budget = Math.max(...resolved.map(({ bytes }) => Number(bytes)));
    const tight = memoryOf({ EMBEDDING_MEMORY_BUDGET: String(budget) });
    const unloaded = () => mesh.eventsOf(catalogue.modelUnloaded).map(({ payload }) => payload.model);
    const use = (name: string) =>
      tight.use(name, { signal: closing.signal }, (embedder) => Promise.resolve(embedder.model));
    const held = () => names.filter((name) => tight.isReady(name));
    for (const [at, name] of [...names, 'tiny-a'].entries()) {
      expect(await use(name)).toBe(`${name}@r1`);
      expect(held()).toEqual([name]);
      await eventually('the registry tells who left', () => unloaded().length === at);
    }
    expect(unloaded()).toEqual(['tiny-a@r1', 'tiny-b@r1']);
  });
});
