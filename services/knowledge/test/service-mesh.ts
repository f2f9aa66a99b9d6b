import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescMessage, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { startService, type AnyServiceDefinition, type Drivers, type RunningService } from '@ragmesh/bootstrap';
import { decodePayload, serviceNames, topicSpecs, type EventSpec } from '@ragmesh/contracts';
import { GrpcClients, type GrpcClient } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver, encodeEvent, partitionForKey, type BusRecord } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';

/** What an event is about: a document, or a whole collection. */
type About = { readonly documentId: string } | { readonly collection: string };

/** Some services of the mesh on a real database and a real bus, as their neighbours see them. */
export class ServiceMesh {
  readonly #records: BusRecord[] = [];
  readonly #running = new Map<string, RunningService>();
  readonly #databases = new Map<string, Database>();

  private constructor(
    private readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
    private readonly bus: EmbeddedBusDriver,
    private readonly addresses: ReadonlyMap<string, string>,
    private readonly clients: GrpcClients,
  ) {}

  /** @param watched topics whose events {@link eventsOf} shows. */
  static async start(...watched: string[]): Promise<ServiceMesh> {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-mesh-'));
    const postgres = await EmbeddedPostgres.start(folder);
    const bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
    await bus.provision(topicSpecs);
    const free = await freePorts(serviceNames.length);
    const ports = serviceNames.map((name, index) => [name, `127.0.0.1:${free[index]}`] as const);
    const addresses = new Map<string, string>(ports);
    const mesh = new ServiceMesh(
      folder,
      postgres,
      bus,
      addresses,
      new GrpcClients((service) => addresses.get(service)!),
    );
    const sink = {
      deliver: (records: readonly BusRecord[]) => void mesh.#records.push(...records),
      revoked: async () => {},
    };
    if (watched.length > 0) await bus.subscribe({ group: 'spec', topics: watched, sink });
    return mesh;
  }

  async run(definition: unknown, environment: Record<string, string> = {}): Promise<RunningService> {
    const service = definition as AnyServiceDefinition;
    const drivers: Drivers = {
      bus: this.bus,
      databaseUrl: (name) => this.postgres.url(`ragmesh_${name}`),
      openDatabase: (name) => new Database(createPool(this.postgres.url(`ragmesh_${name}`))),
      grpcAddress: (name) => this.addresses.get(name)!,
      logger: (name) => createLogger(name, 'silent'),
      health: { isAlive: () => true, isReady: () => true },
    };
    const running = await startService(service, drivers, environment);
    this.#running.set(service.name, running);
    return running;
  }

  async halt(name: string): Promise<void> {
    await this.#running.get(name)?.close();
    this.#running.delete(name);
  }

  async stop(): Promise<void> {
    this.clients.close();
    for (const name of [...this.#running.keys()].toReversed()) await this.halt(name);
    for (const database of this.#databases.values()) await database.close();
    await this.bus.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  client<Service extends DescService>(service: Service): GrpcClient<Service> {
    return this.clients.of(service);
  }

  /** The database of a service, to look at. */
  database(name: string): Database {
    const known =
      this.#databases.get(name) ?? new Database(createPool(this.postgres.url(`ragmesh_${name}`), { max: 2 }));
    this.#databases.set(name, known);
    return known;
  }

  as<T>(tenant: string, work: () => T): T {
    return inContext({ requestId: randomUUID(), tenant, subject: 'spec' }, work);
  }

  /** Publishes an event as a neighbour would, `times` times, and waits until each of `consumers` is done with it. */
  async send<Desc extends DescMessage>(
    spec: EventSpec<Desc>,
    payload: MessageInitShape<Desc> & About,
    { tenant = 'default', times = 1, consumer }: { tenant?: string; times?: number; consumer?: string } = {},
  ): Promise<string> {
    const context = { source: '/ragmesh/document', tenant, actor: 'spec', correlationId: randomUUID(), trace: {} };
    const { documentId, collection } = payload as Partial<Record<'documentId' | 'collection', string>>;
    const about = documentId ?? collection!;
    const { id, topic, key, headers, value } = encodeEvent(spec, about, payload, context);
    const record = { topic, key, headers, value, partition: partitionForKey(key, this.bus.partitionsOf(topic)) };
    await this.bus.publish(Array.from({ length: times }, () => record));
    if (consumer) await this.settled(consumer, id);
    return id;
  }

  /** Waits until the service handled the event, passed over it or gave it up. */
  async settled(consumer: string, eventId: string): Promise<void> {
    const sql = 'SELECT FROM inbox WHERE event_id = $1 AND finished_at IS NOT NULL';
    await eventually(
      'the event is settled',
      async () => (await this.database(consumer).query(sql, [eventId])).rowCount > 0,
    );
  }

  /** Payloads of the watched events of a type seen so far. */
  eventsOf<Desc extends DescMessage>(spec: EventSpec<Desc>): { tenant: string; payload: MessageShape<Desc> }[] {
    return this.#records
      .filter(({ headers }) => headers['ce_type'] === spec.type)
      .map(({ headers, value }) => ({ tenant: headers['ce_tenant']!, payload: decodePayload(spec, value) }));
  }
}
