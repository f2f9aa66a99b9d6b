import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { Module } from '@nestjs/common';
import { startService, type Drivers, type RunningService } from '@ragmesh/bootstrap';
import { catalogue, decodePayload, findEventSpec, topicSpecs, vectorV1, type EventSpec } from '@ragmesh/contracts';
import { createGrpcClient, type GrpcClient } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver, encodeEvent, partitionForKey, type BusRecord, type EncodedEvent } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import type pg from 'pg';
import { bytesOf, embeddedBatches, vectorOf, type DocumentOptions } from './document.builder.js';
import { IndexReconciler } from '../src/adapters/index-reconciler.js';
import { VectorStore } from '../src/adapters/vector-store.js';
import { VectorModule } from '../src/vector.module.js';
import { vectorService } from '../src/vector.service.js';

type SearchLexical = Pick<vectorV1.SearchLexicalRequest, 'collection' | 'topK' | 'filters'>;
type SearchDense = SearchLexical & Pick<vectorV1.SearchDenseRequest, 'vector'>;

/** An event the service under test published. */
export interface Answer {
  readonly id: string;
  readonly type: string;
  readonly tenant: string;
  readonly causationId: string;
  readonly payload: Record<string, unknown>;
}

/** Where the service under test keeps its points. */
export interface VectorMeshOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly databaseUrl?: (name: string) => string;
  /** Gets each line the service logs from warnings on. */
  readonly log?: (line: string) => void;
}

/** Lets a test reach what the service is composed of. */
@Module({ imports: [VectorModule] })
class ObservedVectorModule {
  static inside: { readonly store: VectorStore; readonly reconciler: IndexReconciler };

  constructor(store: VectorStore, reconciler: IndexReconciler) {
    ObservedVectorModule.inside = { store, reconciler };
  }
}

/** The vector service with a real database and a real bus, as its neighbours see it. */
export class VectorMesh {
  readonly answers: Answer[] = [];
  client!: GrpcClient<typeof vectorV1.VectorService>;
  database!: Database;
  private service: RunningService | undefined;

  private constructor(
    private readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
    private readonly bus: EmbeddedBusDriver,
    private readonly options: VectorMeshOptions,
  ) {}

  /** @param options.env of the service; @param options.databaseUrl where its database is, when not in the embedded server. */
  static async start(options: VectorMeshOptions = {}): Promise<VectorMesh> {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-vector-'));
    const postgres = await EmbeddedPostgres.start(folder);
    const bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
    await bus.provision(topicSpecs);
    const mesh = new VectorMesh(folder, postgres, bus, options);
    await mesh.boot();
    mesh.database = new Database(createPool(mesh.databaseUrl, { max: 3, applicationName: 'spec' }));
    const topics = ['vector.indexed', 'vector.updated', 'vector.deleted', 'error.occurred'];
    await bus.subscribe({
      group: 'spec',
      topics,
      sink: { deliver: (records) => mesh.note(records), revoked: () => Promise.resolve() },
    });
    return mesh;
  }

  get store(): VectorStore {
    return ObservedVectorModule.inside.store;
  }

  get reconciler(): IndexReconciler {
    return ObservedVectorModule.inside.reconciler;
  }

  get databaseUrl(): string {
    return (this.options.databaseUrl ?? ((name) => this.postgres.url(name)))('ragmesh_vector');
  }

  async restart(): Promise<void> {
    await this.halt();
    await this.boot();
  }

  async stop(): Promise<void> {
    await this.halt();
    await this.database.close();
    await this.bus.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Cuts every connection of the service to its database. */
  async cutConnections(): Promise<void> {
    await this.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ragmesh_vector' AND application_name <> 'spec'`,
    );
  }

  /** An event as a neighbour would publish it, not sent yet. */
  event<Desc extends DescMessage>(
    spec: EventSpec<Desc>,
    payload: MessageInitShape<Desc> & { documentId: string },
    tenant = 'default',
  ): EncodedEvent {
    const context = { source: '/ragmesh/spec', tenant, actor: 'spec', correlationId: randomUUID(), trace: {} };
    return encodeEvent(spec, payload.documentId, payload, context);
  }

  /** Publishes and waits until the service is done with each: handled, passed over or given up. */
  async send(...events: EncodedEvent[]): Promise<void> {
    const records = events.map(({ topic, key, headers, value }) => ({
      topic,
      key,
      headers,
      value,
      partition: partitionForKey(key, this.bus.partitionsOf(topic)),
    }));
    await this.bus.publish(records);
    const ids = [...new Set(events.map(({ id }) => id))];
    const settled = async () => {
      const sql = 'SELECT count(*) AS settled FROM inbox WHERE event_id = ANY($1) AND finished_at IS NOT NULL';
      return (await this.database.query<{ settled: number }>(sql, [ids])).rows[0]!.settled === ids.length;
    };
    await eventually('the events are settled', settled, 60_000 + 100 * events.length);
  }

  /** The one event that came of this one. */
  async answerTo({ id }: EncodedEvent): Promise<Answer> {
    return eventually('an answer', () => this.answers.find(({ causationId }) => causationId === id));
  }

  answersTo({ id }: EncodedEvent): Answer[] {
    return this.answers.filter(({ causationId }) => causationId === id);
  }

  /** Sends a document's batches and waits until each is staged. */
  async stage(options: DocumentOptions): Promise<EncodedEvent[]> {
    const events = embeddedBatches(options).map((batch) => this.event(catalogue.chunksEmbedded, batch, options.tenant));
    await this.send(...events);
    await Promise.all(events.map((event) => this.answerTo(event)));
    return events;
  }

  /** Shows what {@link stage} staged, and waits until readers see it. */
  async show({ id: documentId, version = 1, collection = 'default', texts, tenant }: DocumentOptions): Promise<Answer> {
    const payload = { documentId, version: BigInt(version), collection, expectedPoints: BigInt(texts.length) };
    const event = this.event(catalogue.showVersion, payload, tenant);
    await this.send(event);
    return this.answerTo(event);
  }

  async removeDocument(documentId: string, version: number): Promise<Answer> {
    const event = this.event(catalogue.removeDocument, { documentId, collection: 'default', version: BigInt(version) });
    await this.send(event);
    return this.answerTo(event);
  }

  async lexical(query: string, request: Partial<SearchLexical> = {}, tenant = 'default'): Promise<vectorV1.Hit[]> {
    const { hits } = await this.as(tenant, () =>
      this.client.searchLexical({ collection: 'default', query, topK: 100, ...request }),
    );
    return hits;
  }

  async dense(text: string, request: Partial<SearchDense> = {}, tenant = 'default'): Promise<vectorV1.Hit[]> {
    const vector = bytesOf(vectorOf(text));
    const { hits } = await this.as(tenant, () =>
      this.client.searchDense({ collection: 'default', vector, topK: 100, ...request }),
    );
    return hits;
  }

  async count(documentId: string, version = 0, tenant = 'default'): Promise<{ points: number; visible: number }> {
    const request = { collection: 'default', documentId, version: BigInt(version) };
    const { points, visible } = await this.as(tenant, () => this.client.count(request));
    return { points: Number(points), visible: Number(visible) };
  }

  as<T>(tenant: string, work: () => T): T {
    return inContext({ requestId: randomUUID(), tenant, subject: 'spec' }, work);
  }

  private async boot(): Promise<void> {
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const { log } = this.options;
    const drivers: Drivers = {
      bus: this.bus,
      databaseUrl: () => this.databaseUrl,
      openDatabase: () => new Database(this.pool()),
      grpcAddress: () => address,
      logger: (service) => (log ? createLogger(service, 'warn', { write: log }) : createLogger(service, 'silent')),
      health: { isAlive: () => true, isReady: () => true },
    };
    const observed = { ...vectorService, module: ObservedVectorModule };
    this.service = await startService(observed, drivers, this.options.env ?? {});
    this.client = createGrpcClient(vectorV1.VectorService, address);
  }

  /** A connection that is cut in the packet that hands it out has no listener yet; its error would end this process. */
  private pool(): pg.Pool {
    const pool = createPool(this.databaseUrl);
    return pool.on('connect', (client) => client.on('error', () => undefined));
  }

  private async halt(): Promise<void> {
    this.client.close();
    await this.service?.close();
  }

  private note(records: readonly BusRecord[]): void {
    for (const { headers, value } of records) {
      const id = headers['ce_id']!;
      if (this.answers.some((answer) => answer.id === id)) continue; // the bus delivers at least once
      const spec = findEventSpec(headers['ce_type']!) ?? catalogue.errorOccurred;
      const payload = decodePayload(spec as EventSpec, value) as unknown as Record<string, unknown>;
      this.answers.push({
        id,
        type: headers['ce_type']!,
        tenant: headers['ce_tenant']!,
        causationId: headers['ce_causation'] ?? '',
        payload,
      });
    }
  }
}
