import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startService, type AnyServiceDefinition, type Drivers, type RunningService } from '@ragmesh/bootstrap';
import { generationV1, topicSpecs } from '@ragmesh/contracts';
import { createGrpcClient, type GrpcClient } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { generationService } from '../src/generation.service.js';

const text = 'Peat bogs cover three percent of the land.\nThey store twice as much carbon as all forests.';
const source = { id: 'd:1:0', documentId: 'd', version: 1n, score: 1, text, start: 100, end: 100 + text.length };

describe('Generate', () => {
  let folder: string;
  let postgres: EmbeddedPostgres;
  let bus: EmbeddedBusDriver;
  let drivers: Drivers;
  let service: RunningService;
  let client: GrpcClient<typeof generationV1.GenerationService>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-generation-'));
    postgres = await EmbeddedPostgres.start(folder);
    bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
    await bus.provision(topicSpecs);
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    drivers = {
      bus,
      databaseUrl: (name) => postgres.url(`ragmesh_${name}`),
      openDatabase: (name) => new Database(createPool(postgres.url(`ragmesh_${name}`), { max: 2 })),
      grpcAddress: () => address,
      logger: (name) => createLogger(name, 'silent'),
      health: { isAlive: () => true, isReady: () => true },
    };
    service = await startService(generationService as unknown as AnyServiceDefinition, drivers, {});
    client = createGrpcClient(generationV1.GenerationService, address);
  }, 60_000);
  afterAll(async () => {
    client?.close();
    await service?.close();
    await bus?.close();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const generate = (request: MessageInitShape<typeof generationV1.GenerateRequestSchema>) =>
    inContext({ requestId: 'r', tenant: 'default', subject: 'spec' }, async () => {
      const events: generationV1.GenerateResponse['event'][] = [];
      for await (const { event } of client.generate(request)) events.push(event);
      return events;
    });

  it('streams sentences with the quotes behind them, then what it took', async () => {
    const events = await generate({ question: 'How much carbon do peat bogs store?', sources: [source] });
    const citations = events.flatMap((event) => (event.case === 'citation' ? [event.value] : []));
    expect(events[0]!.case).toBe('delta');
    expect(citations.map((citation) => citation.text)).toContain('They store twice as much carbon as all forests.');
    for (const { index, start, end, text: quoted } of citations) {
      expect(index).toBe(1);
      expect(text.slice(start - 100, end - 100)).toBe(quoted);
    }
    const completed = { model: 'extractive', degraded: [], usage: { promptTokens: 0, completionTokens: 0 } };
    expect(events.at(-1)).toMatchObject({ case: 'completed', value: completed });
  });

  it('says that the sources do not answer, in the language of the question', async () => {
    const [first] = await generate({ question: 'Wer gewann die Wahl?', sources: [source] });
    expect(first).toEqual({ case: 'delta', value: 'Die Quellen beantworten diese Frage nicht.' });
  });

  it('refuses an empty question by name', async () => {
    const refusal = { code: 'REQUEST.INVALID', message: expect.stringContaining('question') };
    await expect(generate({ question: ' ', sources: [source] })).rejects.toMatchObject(refusal);
  });

  it('refuses a provider it does not have at start-up, by the name of the variable', async () => {
    const start = startService(generationService as unknown as AnyServiceDefinition, drivers, {
      APP_LLM_BACKEND: 'magic',
    });
    await expect(start).rejects.toThrow(/APP_LLM_BACKEND must be one of disabled/);
  });
});
