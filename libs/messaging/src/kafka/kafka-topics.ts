import { setTimeout as delay } from 'node:timers/promises';
import type { TopicSpec } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { Admin, ITopicMetadata } from 'kafkajs';
import type { ResolvedKafkaOptions } from './kafka-bus-options.js';
import { isOutage, kafkaError } from './kafka-error.js';
import { readTopicConfigs, replaceTopicConfig } from './topic-settings.js';
import { copiesConfig, topicConfig, topicDrift, type TopicDrift } from './topic-drift.js';

const VISIBLE_WITHIN_MS = 30_000;
const POLL_MS = 50;

type TopicOptions = Pick<ResolvedKafkaOptions, 'topicPrefix' | 'maxRecordBytes' | 'replicationFactor' | 'onError'>;

/** The installation's topics: which there are, with how many partitions, and how they get to be as the catalogue says. */
export class KafkaTopics {
  readonly #partitions = new Map<string, number>();

  constructor(
    private readonly admin: Admin,
    private readonly options: TopicOptions,
  ) {}

  storedName(topic: string): string {
    return this.options.topicPrefix + topic;
  }

  ownName(stored: string): string {
    return stored.slice(this.options.topicPrefix.length);
  }

  /** Number of partitions, 0 for a topic that is not known here. */
  countOf(topic: string): number {
    return this.#partitions.get(topic) ?? 0;
  }

  /** @throws RagmeshError CONFIG.INVALID for a topic that is not known here. */
  partitionsOf(topic: string): number {
    const partitions = this.countOf(topic);
    if (partitions > 0) return partitions;
    throw new RagmeshError('CONFIG.INVALID', `Topic ${topic} does not exist; run "npm run topics -- apply".`, {
      topic,
    });
  }

  /** Looks again at the cluster when one of the topics is not known here. */
  async know(topics: readonly string[]): Promise<void> {
    if (topics.some((topic) => this.countOf(topic) === 0)) await this.refresh();
  }

  /** Like `know`, and insists on all. */
  async require(topics: readonly string[]): Promise<void> {
    await this.know(topics);
    for (const topic of topics) this.partitionsOf(topic);
  }

  async refresh(): Promise<void> {
    for (const { name, partitions } of await this.#list()) this.#partitions.set(this.ownName(name), partitions.length);
  }

  /**
   * Creates topics that are missing, and leaves those that exist as they are; tells `onError` where they differ from the catalogue.
   * @throws RagmeshError CONFIG.INVALID that names every topic with fewer partitions than wanted, or one that is compacted, which
   *   would lose events: `apply` repairs both.
   */
  async provision(specs: readonly TopicSpec[]): Promise<void> {
    await this.#createMissing(specs);
    const tooFew = specs
      .filter(({ name, partitions }) => this.countOf(name) < partitions)
      .map(({ name, partitions }) => `${name} has ${this.countOf(name)} of ${partitions} partitions`);
    const drift = await this.#visibleDrift(specs);
    const lossy = drift
      .filter(({ setting }) => setting === 'cleanup.policy')
      .map(({ topic, setting, found, wanted }) => `${topic} has ${setting} ${found} instead of ${wanted}`);
    const faults = [...tooFew, ...lossy];
    if (faults.length > 0) throw notAsCatalogued(faults, 'Run "npm run topics -- apply".');
    const others = drift.filter(({ setting }) => setting !== 'partitions');
    if (others.length === 0) return;
    const differences = others.map(
      ({ topic, setting, found, wanted }) => `${topic} has ${setting} ${found} of ${wanted}`,
    );
    this.options.onError(notAsCatalogued(differences, 'Look with "npm run topics -- diff".'));
  }

  /** A login that may create and use topics need not be allowed to read how they are set up: no start fails for that. */
  async #visibleDrift(specs: readonly TopicSpec[]): Promise<TopicDrift[]> {
    try {
      return await this.diff(specs);
    } catch (error) {
      if (isOutage(error)) throw error;
      this.options.onError(error);
      return [];
    }
  }

  /**
   * Where the cluster differs from these specs.
   * @throws RagmeshError CONFIG.INVALID without the rights to it, DEPENDENCY.UNAVAILABLE.
   */
  async diff(specs: readonly TopicSpec[]): Promise<TopicDrift[]> {
    const names = new Set(specs.map(({ name }) => this.storedName(name)));
    const listed = (await this.#list()).filter(({ name }) => names.has(name));
    const configs = await readTopicConfigs(
      this.admin,
      listed.map(({ name }) => name),
    );
    const existing = listed.map(({ name, partitions }) => ({
      name: this.ownName(name),
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      config: configs.get(name)?.effective ?? {},
    }));
    const { maxRecordBytes } = this.options;
    return topicDrift(specs, existing, { maxRecordBytes, replicas: await this.#copies() });
  }

  /**
   * Repairs what `diff` finds, as far as it is repairable.
   * @returns what differed before.
   * @throws RagmeshError CONFIG.INVALID without the rights to it, DEPENDENCY.UNAVAILABLE.
   */
  async apply(specs: readonly TopicSpec[]): Promise<TopicDrift[]> {
    const drift = await this.diff(specs);
    const differs = (name: string, setting: (name: string) => boolean) =>
      drift.some((entry) => entry.topic === name && entry.repairable && setting(entry.setting));
    await this.#createMissing(specs);
    const tooFew = specs.filter(({ name }) => differs(name, (setting) => setting === 'partitions'));
    if (tooFew.length > 0) await this.#widen(tooFew);
    for (const spec of specs.filter(({ name }) => differs(name, (setting) => setting.includes('.')))) {
      const found = drift.filter(({ topic, setting }) => topic === spec.name && setting.includes('.'));
      const repaired = Object.fromEntries(found.map(({ setting, wanted }) => [setting, wanted]));
      const config = { ...topicConfig(spec, this.options.maxRecordBytes), ...repaired };
      await replaceTopicConfig(this.admin, this.storedName(spec.name), config);
    }
    await this.#untilRepaired(specs);
    return drift;
  }

  /** The controller answers before the brokers have heard of the change. */
  async #untilRepaired(specs: readonly TopicSpec[]): Promise<void> {
    const deadline = performance.now() + VISIBLE_WITHIN_MS;
    while ((await this.diff(specs)).some(({ repairable }) => repairable) && performance.now() < deadline) {
      await delay(POLL_MS);
    }
  }

  async #createMissing(specs: readonly TopicSpec[]): Promise<void> {
    await this.know(specs.map(({ name }) => name));
    const missing = specs.filter(({ name }) => this.countOf(name) === 0);
    if (missing.length === 0) return;
    await this.#create(missing);
    await this.#untilVisible(missing);
  }

  async #list(): Promise<ITopicMetadata[]> {
    try {
      const { topics } = await this.admin.fetchTopicMetadata();
      return topics.filter(({ name }) => name.startsWith(this.options.topicPrefix));
    } catch (error) {
      throw kafkaError(error, 'reading the topics');
    }
  }

  async #create(specs: readonly TopicSpec[]): Promise<void> {
    try {
      const replicationFactor = await this.#copies();
      await this.admin.createTopics({
        waitForLeaders: false,
        topics: specs.map((spec) => ({
          topic: this.storedName(spec.name),
          numPartitions: spec.partitions,
          replicationFactor,
          configEntries: Object.entries({
            ...topicConfig(spec, this.options.maxRecordBytes),
            ...copiesConfig(replicationFactor),
          }).map(([name, value]) => ({ name, value })),
        })),
      });
    } catch (error) {
      if (!onlyExisting(error)) throw kafkaError(error, 'creating topics');
    }
  }

  async #widen(specs: readonly TopicSpec[]): Promise<void> {
    const topicPartitions = specs.map(({ name, partitions }) => ({ topic: this.storedName(name), count: partitions }));
    try {
      await this.admin.createPartitions({ topicPartitions });
    } catch (error) {
      throw kafkaError(error, 'adding partitions');
    }
    await this.#untilVisible(specs);
  }

  /** How many of each topic there are to be. */
  async #copies(): Promise<number> {
    const { replicationFactor } = this.options;
    if (replicationFactor !== undefined) return replicationFactor;
    try {
      return Math.min(3, (await this.admin.describeCluster()).brokers.length);
    } catch (error) {
      throw kafkaError(error, 'asking for the brokers');
    }
  }

  /** Brokers hear of a new topic one after the other and elect its leaders after that, so the answer that has all is the one kept. */
  async #untilVisible(specs: readonly TopicSpec[]): Promise<void> {
    const deadline = performance.now() + VISIBLE_WITHIN_MS;
    for (;;) {
      const listed = new Map((await this.#list()).map((topic) => [this.ownName(topic.name), topic.partitions]));
      const waiting = specs.filter(({ name, partitions }) => {
        const found = listed.get(name) ?? [];
        return found.length < partitions || found.some(({ leader }) => leader < 0);
      });
      if (waiting.length === 0) return listed.forEach((found, name) => this.#partitions.set(name, found.length));
      if (performance.now() > deadline) {
        const names = waiting.map(({ name }) => name).join(', ');
        throw new RagmeshError('DEPENDENCY.UNAVAILABLE', `Kafka did not create these topics in time: ${names}.`);
      }
      await delay(POLL_MS);
    }
  }
}

function notAsCatalogued(faults: readonly string[], advice: string): RagmeshError {
  const what = `The cluster's topics are not as the catalogue says: ${faults.join(', ')}. ${advice}`;
  return new RagmeshError('CONFIG.INVALID', what, { faults: faults.length });
}

/** Another process created the same topics at the same time; the ones it had not yet created, the broker creates for us. */
function onlyExisting(error: unknown): boolean {
  const { errors } = error as { errors?: readonly { type?: string }[] };
  return errors !== undefined && errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS');
}
