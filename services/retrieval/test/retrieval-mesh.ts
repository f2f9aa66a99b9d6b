import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { startService, type AnyServiceDefinition, type Drivers, type RunningService } from '@ragmesh/bootstrap';
import {
  catalogue,
  documentV1,
  generationV1,
  knowledgeV1,
  retrievalV1,
  serviceNames,
  topicSpecs,
  vectorV1,
  type EventSpec,
} from '@ragmesh/contracts';
import { GrpcClients, type CallOptions } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver, encodeEvent, partitionForKey, type BusRecord } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { documentService } from '@ragmesh/service-document';
import { embeddingService } from '@ragmesh/service-embedding';
import { gatewayService } from '@ragmesh/service-gateway';
import { generationService } from '@ragmesh/service-generation';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { modelService } from '@ragmesh/service-model';
import { vectorService } from '@ragmesh/service-vector';
import { eventually } from '@ragmesh/testing';
import { retrievalService } from '../src/retrieval.service.js';
import { wholeAnswer, type Answer } from './whole-answer.js';
import { uploadMessages } from '../../document/test/upload-messages.js';

const core = [
  knowledgeService,
  embeddingService,
  vectorService,
  documentService,
  generationService,
  retrievalService,
] as const;
const definitions = [...core, gatewayService, modelService] as readonly unknown[] as AnyServiceDefinition[];

export type { Answer } from './whole-answer.js';
export type Found = retrievalV1.SearchResponse;
export type SearchInit = MessageInitShape<typeof retrievalV1.SearchRequestSchema>;

/** Another process of the retrieval service. */
export interface Copy {
  search(request: SearchInit): Promise<Found>;
  query(search: SearchInit): Promise<Answer>;
}

/** Upload to answer: the services a question needs, on a real database and a real bus. */
export class RetrievalMesh {
  readonly published: BusRecord[] = [];
  readonly #running = new Map<string, RunningService>();
  #inbox: Database | undefined;
  readonly #copyClients: GrpcClients[] = [];
  #environment: Record<string, string> = {};

  private constructor(
    readonly folder: string,
    private readonly postgres: EmbeddedPostgres,
    private readonly bus: EmbeddedBusDriver,
    private readonly addresses: ReadonlyMap<string, string>,
    private readonly clients: GrpcClients,
  ) {}

  /** @param environment of every service. */
  static async start(environment: Record<string, string> = {}): Promise<RetrievalMesh> {
    const folder = await mkdtemp(join(tmpdir(), 'ragmesh-retrieval-'));
    const postgres = await EmbeddedPostgres.start(folder);
    const bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
    await bus.provision(topicSpecs);
    const free = await freePorts(serviceNames.length);
    const ports = serviceNames.map((name, index) => [name, `127.0.0.1:${free[index]}`] as const);
    const addresses = new Map<string, string>(ports);
    const clients = new GrpcClients((service) => addresses.get(service)!);
    const mesh = new RetrievalMesh(folder, postgres, bus, addresses, clients);
    mesh.#environment = environment;
    const sink = {
      deliver: (records: readonly BusRecord[]) => void mesh.published.push(...records),
      revoked: async () => {},
    };
    await bus.subscribe({
      group: 'spec',
      topics: ['query.processed', 'retrieval.completed', 'generation.completed'],
      sink,
    });
    for (const { name } of core) await mesh.run(name);
    return mesh;
  }

  /** @param environment of this service; with `DATABASE_URL` it keeps its rows there. */
  async run(name: string, environment: Record<string, string> = {}): Promise<void> {
    this.#running.set(name, await this.#start(name, environment, this.addresses.get(name)!));
  }

  /** The HTTP edge in front. @returns its address. */
  async runEdge(environment: Record<string, string> = {}): Promise<string> {
    await this.run('gateway', { SERVER_PORT: '0', ...environment });
    return this.#running.get('gateway')!.url!;
  }

  /** Makes a collection with search defaults of its own. */
  async createCollection(
    id: string,
    defaults: MessageInitShape<typeof knowledgeV1.RetrievalDefaultsSchema>,
  ): Promise<void> {
    const knowledge = this.clients.of(knowledgeV1.KnowledgeService);
    await this.as('default', () => knowledge.createCollection({ id, title: id }));
    await this.changeDefaults(id, defaults);
  }

  async changeDefaults(
    id: string,
    defaults: MessageInitShape<typeof knowledgeV1.RetrievalDefaultsSchema>,
  ): Promise<void> {
    const knowledge = this.clients.of(knowledgeV1.KnowledgeService);
    await this.as('default', () => knowledge.updateCollection({ id, defaults }));
  }

  warm(searches: SearchInit[], answers = false, principals?: string[]): Promise<retrievalV1.WarmCacheResponse> {
    const caller = { requestId: randomUUID(), tenant: 'default', subject: 'spec', ...(principals && { principals }) };
    return inContext(caller, () => this.clients.of(retrievalV1.RetrievalService).warmCache({ searches, answers }));
  }

  /** Lets nobody but these find what is in a collection. */
  async restrict(collection: string, principals: string[]): Promise<void> {
    const vector = this.clients.of(vectorV1.VectorService);
    await this.as('default', () => vector.restrictAccess({ collection, principals, revision: 1n }));
  }

  /** Sets a flag for the whole installation, as JSON; undefined lets the configuration decide again. */
  async setFlag(name: string, value?: string): Promise<void> {
    const flags = this.clients.of(knowledgeV1.FlagService);
    await this.as('default', () => flags.setFlag({ name, ...(value === undefined ? {} : { value }) }));
  }

  async clear(collection = ''): Promise<void> {
    await this.as('default', () => this.clients.of(retrievalV1.RetrievalService).clearCache({ collection }));
  }

  /** A second process of the retrieval service beside the first. @returns how to ask it. */
  async runCopy(environment: Record<string, string> = {}): Promise<Copy> {
    const [port] = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    this.#running.set('retrieval copy', await this.#start('retrieval', environment, address));
    const clients = new GrpcClients(() => address);
    this.#copyClients.push(clients);
    const retrieval = clients.of(retrievalV1.RetrievalService);
    return {
      search: (request) => this.as('default', () => retrieval.search(request)),
      query: (search) => this.as('default', () => wholeAnswer(retrieval.query({ search }), [])),
    };
  }

  async #start(name: string, environment: Record<string, string>, address: string): Promise<RunningService> {
    const definition = definitions.find((one) => one.name === name)!;
    const databaseUrl = environment['DATABASE_URL'] ?? this.postgres.url(`ragmesh_${name}`);
    const drivers: Drivers = {
      bus: this.bus,
      databaseUrl: () => databaseUrl,
      openDatabase: () => new Database(createPool(databaseUrl, { max: 4 })),
      grpcAddress: (service) => (service === name ? address : this.addresses.get(service)!),
      logger: (service) => createLogger(service, 'silent'),
      health: { isAlive: () => true, isReady: () => true },
    };
    const settings = {
      RAGMESH_DATA_DIR: this.folder,
      APP_EMBEDDINGS_BACKEND: 'mock',
      ...this.#environment,
      ...environment,
    };
    return startService(definition, drivers, settings);
  }

  async halt(name: string): Promise<void> {
    await this.#running.get(name)?.close();
    this.#running.delete(name);
  }

  async stop(): Promise<void> {
    for (const name of [...this.#running.keys()].toReversed()) await this.halt(name);
    for (const clients of [this.clients, ...this.#copyClients]) clients.close();
    await this.#inbox?.close();
    await this.bus.close();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  as<T>(tenant: string, work: () => T, requestId: string = randomUUID()): T {
    return inContext({ requestId, tenant, subject: 'spec' }, work);
  }

  /** Uploads a text or a file and waits until it can be found. */
  async upload(
    bytes: Uint8Array | string,
    header: MessageInitShape<typeof documentV1.UploadHeaderSchema> = {},
    tenant = 'default',
  ): Promise<string> {
    const kind = typeof bytes === 'string' ? documentV1.UploadKind.TEXT : documentV1.UploadKind.FILE;
    const documents = this.clients.of(documentV1.DocumentService);
    const { id, version } = await this.as(tenant, () => documents.upload(uploadMessages({ kind, ...header }, bytes)));
    await eventually(`document ${id} is ready`, async () => {
      const { status, liveVersion, error } = await this.as(tenant, () => documents.getDocument({ id }));
      if (status === 'failed') throw new Error(`Ingestion failed: ${error?.code}`);
      return liveVersion === version;
    });
    return id;
  }

  /** Deletes a document and waits until nothing of it is left. */
  async delete(id: string): Promise<void> {
    const documents = this.clients.of(documentV1.DocumentService);
    await this.as('default', () => documents.deleteDocument({ id }));
    const isGone = async () => (await this.as('default', () => documents.getDocument({ id }))).status === 'deleted';
    await eventually(`document ${id} is deleted`, () => isGone().catch(() => true));
  }

  /** Has everybody told that a document is gone which the index still finds. */
  async announceDeletion(documentId: string, collection: string): Promise<void> {
    await this.#publish(catalogue.documentDeleted, { documentId, collection, version: 1n });
  }

  /** The answers of a conversation as they are remembered. */
  async remembered(id: string): Promise<string[]> {
    const conversations = this.clients.of(generationV1.ConversationService);
    const { messages } = await this.as('default', () => conversations.getConversation({ id, limit: 100 }));
    return messages.filter(({ role }) => role === 'assistant').map(({ text }) => text);
  }

  /** How many events a handler of the retrieval service has handled to their end. */
  async handled(handlerId: string): Promise<number> {
    const sql = 'SELECT FROM inbox WHERE handler_id = $1 AND finished_at IS NOT NULL';
    this.#inbox ??= new Database(createPool(this.postgres.url('ragmesh_retrieval'), { max: 1 }));
    return (await this.#inbox.query(sql, [handlerId])).rowCount;
  }

  /** Indexes one chunk with a vector of the spec's own choice, as a collection built with another model has it. */
  async index(documentId: string, collection: string, text: string, vector: readonly number[]): Promise<void> {
    const place = { documentId, version: 1n, collection };
    const chunk = { ordinal: 0, text, start: 0, end: text.length };
    const vectors = new Uint8Array(Float32Array.from(vector).buffer);
    const batch = { ...place, batches: 1, chunks: [chunk], model: 'other@1', dimension: vector.length, vectors };
    await this.#publish(catalogue.chunksEmbedded, batch);
    const count = () => this.clients.of(vectorV1.VectorService).count(place);
    await eventually('the chunk is staged', async () => (await this.as('default', count)).points === 1n);
    await this.#publish(catalogue.showVersion, { ...place, expectedPoints: 1n });
    await eventually('the chunk is visible', async () => (await this.as('default', count)).visible === 1n);
  }

  /** The text that offsets refer to. */
  canonicalText(id: string, tenant = 'default'): Promise<string> {
    return this.as(tenant, async () => {
      const pieces: Uint8Array[] = [];
      const content = this.clients.of(documentV1.DocumentService).getContent({ id, asText: true });
      for await (const { data } of content) pieces.push(data);
      return Buffer.concat(pieces).toString('utf8');
    });
  }

  search(request: SearchInit, tenant = 'default', options: CallOptions = {}): Promise<retrievalV1.SearchResponse> {
    return this.as(tenant, () => this.clients.of(retrievalV1.RetrievalService).search(request, options));
  }

  /** @param order gets the name of each event as it comes. */
  async query(
    search: SearchInit,
    requestId: string = randomUUID(),
    order: string[] = [],
    conversationId = '',
    options: CallOptions = {},
  ): Promise<Answer> {
    const ask = () => this.clients.of(retrievalV1.RetrievalService).query({ search, conversationId }, options);
    return this.as('default', () => wholeAnswer(ask(), order), requestId);
  }

  async #publish<Desc extends DescMessage>(
    spec: EventSpec<Desc>,
    payload: MessageInitShape<Desc> & { documentId: string },
  ): Promise<void> {
    const context = {
      source: '/ragmesh/spec',
      tenant: 'default',
      actor: 'spec',
      correlationId: randomUUID(),
      trace: {},
    };
    const { topic, key, headers, value } = encodeEvent(spec, payload.documentId, payload, context);
    const partition = partitionForKey(key, this.bus.partitionsOf(topic));
    await this.bus.publish([{ topic, key, headers, value, partition }]);
  }
}
