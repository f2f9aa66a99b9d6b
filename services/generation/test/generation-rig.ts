import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService, type AnyServiceDefinition, type RunningService } from '@ragmesh/bootstrap';
import { topicSpecs, type EventSpec } from '@ragmesh/contracts';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver, encodeEvent, partitionForKey } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { generationService } from '../src/generation.service.js';

/** A database and a bus with copies of the generation service, each configured in its own way. */
export class GenerationRig {
  /** Of the services, in the order they were started. */
  readonly addresses: string[] = [];
  readonly #services: RunningService[] = [];

  private constructor(
    readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
    private readonly bus: EmbeddedBusDriver,
  ) {}

  static async start(): Promise<GenerationRig> {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-generation-'));
    const postgres = await EmbeddedPostgres.start(folder);
    const bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
    await bus.provision(topicSpecs);
    return new GenerationRig(folder, postgres, bus);
  }

  /** @returns where it answers. */
  async service(environment: Record<string, string>): Promise<string> {
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const url = this.postgres.url('ragmesh_generation');
    const drivers = {
      bus: this.bus,
      databaseUrl: () => url,
      openDatabase: () => new Database(createPool(url, { max: 2 })),
      grpcAddress: () => address,
      logger: () => createLogger('generation', 'silent'),
      health: { isAlive: () => true, isReady: () => true },
      drainMs: 500,
    };
    this.#services.push(await startService(generationService as unknown as AnyServiceDefinition, drivers, environment));
    this.addresses.push(address);
    return address;
  }

  /** Runs a statement on the database of the services. */
  async query(sql: string): Promise<void> {
    const database = new Database(createPool(this.postgres.url('ragmesh_generation'), { max: 1 }));
    await database.query(sql).finally(() => database.close());
  }

  /** Publishes an event as another service would, `times` times. */
  async tell<Desc extends DescMessage>(
    tenant: string,
    spec: EventSpec<Desc>,
    payload: MessageInitShape<Desc>,
    times = 1,
  ): Promise<void> {
    const context = { source: '/ragmesh/spec', tenant, actor: 'spec', correlationId: 'r', trace: {} };
    const { topic, key, headers, value } = encodeEvent(spec, 'key', payload, context);
    const partition = partitionForKey(key, this.bus.partitionsOf(topic));
    await this.bus.publish(Array.from({ length: times }, () => ({ topic, key, headers, value, partition })));
  }

  as<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    return inContext({ requestId: 'r', tenant, subject: 'spec' }, work);
  }

  async close(): Promise<void> {
    for (const service of this.#services) await service.close();
    await this.bus.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
