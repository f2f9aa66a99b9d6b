import { Injectable } from '@nestjs/common';
import {
  documentV1,
  embeddingV1,
  knowledgeV1,
  modelV1,
  operationsV1,
  vectorV1,
  type ServiceName,
} from '@ragmesh/contracts';
import { GrpcClients, type CallOptions } from '@ragmesh/grpc';
import { Database } from '@ragmesh/postgres';

/** What has not answered by then is down. */
const CHECK_MS = 2_000;
/** Who asks more often gets the answer before: asking must not become load. */
const KEPT_MS = 1_000;
const MINUTE_MS = 60_000;

export type Condition = 'up' | 'down';

export interface SystemHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly components: Readonly<Record<string, Condition>>;
  readonly services: Readonly<Record<'retrieval' | 'generation', Condition>>;
  readonly uptime_seconds: number;
}

type Check = (options: CallOptions) => Promise<unknown>;

/** Without these nothing can be answered; without any other, answers are only worse. */
const vital = ['vector_db', 'database'] as const;

/** Asks what answers are made of, each as its users do, past the breakers: whoever is back shall be seen at once. */
@Injectable()
export class SystemHealthCheck {
  #known: { readonly at: number; readonly health: Promise<SystemHealth> } | undefined;

  constructor(
    private readonly clients: GrpcClients,
    private readonly database: Database,
  ) {}

  /** Never fails, and takes at most a little more than two seconds. */
  run(): Promise<SystemHealth> {
    const now = performance.now();
    if (!this.#known || now - this.#known.at > KEPT_MS) this.#known = { at: now, health: this.#check() };
    return this.#known.health;
  }

  /** Whether any language model is configured, working or not. */
  async hasLanguageModel(): Promise<boolean> {
    return 'llm' in (await this.run()).components;
  }

  async #check(): Promise<SystemHealth> {
    const [checked, secondStore, retrieval, generation, embedding] = await Promise.all([
      Promise.all(
        Object.entries(this.#checks()).map(async ([name, check]) => [name, await conditionOf(check)] as const),
      ),
      conditionOf((options) => this.#askSecondStore(options)),
      this.#breakersOf('retrieval'),
      this.#breakersOf('generation'),
      this.#breakersOf('embedding'),
    ]);
    const caches = [retrieval, generation, embedding].flatMap((breakers) => breakers?.filter(isCache) ?? []);
    const llms = generation?.filter((breaker) => !isCache(breaker)) ?? [];
    const components: Record<string, Condition> = { ...Object.fromEntries(checked) };
    components['cache'] = condition(retrieval !== undefined && !caches.some(isOpen));
    if (llms.length > 0) components['llm'] = condition(!llms.every(isOpen));
    const services = { retrieval: condition(!!retrieval), generation: condition(!!generation) };
    const missed = vital.filter(
      (name) => components[name] === 'down' && !(name === 'vector_db' && secondStore === 'up'),
    );
    return { status: statusOf(missed, components, services), components, services, uptime_seconds: uptime() };
  }

  #checks(): Readonly<Record<string, Check>> {
    const { clients } = this;
    const text = `health ${Math.floor(Date.now() / MINUTE_MS)}`; // not the same for long, so that its vector is not just remembered
    return {
      vector_db: (options) =>
        clients.of(vectorV1.VectorService).count({ collection: 'default', documentId: 'health' }, options),
      embedder: (options) => clients.of(embeddingV1.EmbeddingService).embed({ texts: [text] }, options),
      document_store: (options) => clients.of(documentV1.DocumentService).listDocuments({ limit: 1 }, options),
      // Anybody may ask this: a list of collections would make the default one, also for a caller who has no tenant.
      catalogue: (options) => clients.of(knowledgeV1.FlagService).listFlags({}, options),
      models: (options) => clients.of(modelV1.ModelService).listModels({}, options),
      database: () => this.database.query('SELECT 1'),
    };
  }

  /** Succeeds when a second vector store answers searches, as the first is away. Nothing is in this collection, nor restricted. */
  async #askSecondStore(options: CallOptions): Promise<void> {
    const nowhere = { collection: 'health', query: 'health', topK: 1 };
    const { secondStore } = await this.clients.of(vectorV1.VectorService).searchLexical(nowhere, options);
    if (!secondStore) throw new Error('The first store answers.');
  }

  /** The breakers of a service; undefined when it does not answer. */
  async #breakersOf(service: ServiceName): Promise<readonly operationsV1.Breaker[] | undefined> {
    try {
      const client = this.clients.of(operationsV1.BreakerService, service);
      return (await client.listBreakers({}, { deadlineMs: CHECK_MS })).breakers;
    } catch {
      return undefined;
    }
  }
}

const isCache = ({ dependency }: operationsV1.Breaker): boolean => dependency.startsWith('redis');
const isOpen = ({ state }: operationsV1.Breaker): boolean => state === 'open';
const condition = (isUp: boolean): Condition => (isUp ? 'up' : 'down');
const uptime = (): number => Math.round(process.uptime());

async function conditionOf(check: Check): Promise<Condition> {
  const tooLate = new Promise<'down'>((resolve) => setTimeout(resolve, CHECK_MS, 'down').unref());
  const answered = check({ deadlineMs: CHECK_MS }).then(
    () => 'up' as const,
    () => 'down' as const,
  );
  return Promise.race([answered, tooLate]);
}

/** @param missed what is vital, and away without anything to stand in for it. */
function statusOf(
  missed: readonly string[],
  components: Readonly<Record<string, Condition>>,
  services: SystemHealth['services'],
): SystemHealth['status'] {
  if (services.retrieval === 'down' || missed.length > 0) return 'unhealthy';
  return [...Object.values(components), services.generation].includes('down') ? 'degraded' : 'healthy';
}
