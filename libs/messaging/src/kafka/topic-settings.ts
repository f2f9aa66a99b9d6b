import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, ConfigEntries, DescribeConfigResponse } from 'kafkajs';
import { isUnknownTopic, kafkaError } from './kafka-error.js';

/** Numbers of Kafka's protocol; kafkajs exports them as values, which would load it with this file. */
const TOPIC = 2;
const SET_ON_TOPIC = 1;

const KNOWN_WITHIN_MS = 10_000;
const POLL_MS = 100;

export interface TopicConfig {
  /** What holds, defaults included. */
  readonly effective: Readonly<Record<string, string>>;
  /** What was set for this topic. */
  readonly own: Readonly<Record<string, string>>;
}

/**
 * Settings of these topics, by their names in the cluster; waits for a broker that has not heard of a new one yet.
 * @throws RagmeshError CONFIG.INVALID without the right to it, DEPENDENCY.UNAVAILABLE.
 */
export async function readTopicConfigs(admin: Admin, topics: readonly string[]): Promise<Map<string, TopicConfig>> {
  if (topics.length === 0) return new Map();
  const { resources } = await describe(admin, topics);
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      {
        effective: toRecord(configEntries),
        own: toRecord(configEntries.filter(({ configSource }) => Number(configSource) === SET_ON_TOPIC)),
      },
    ]),
  );
}

async function describe(admin: Admin, topics: readonly string[]): Promise<DescribeConfigResponse> {
  const deadline = performance.now() + KNOWN_WITHIN_MS;
  for (;;) {
    try {
      const resources = topics.map((name) => ({ type: TOPIC, name }));
      return await admin.describeConfigs({ includeSynonyms: false, resources });
    } catch (error) {
      if (!isUnknownTopic(error) || performance.now() > deadline)
        throw kafkaError(error, 'reading the settings of topics');
      await delay(POLL_MS);
    }
  }
}

/**
 * Sets these and keeps what else was set on the topic: the request kafkajs sends replaces everything.
 * @throws RagmeshError CONFIG.INVALID without the right to it, DEPENDENCY.UNAVAILABLE.
 */
export async function replaceTopicConfig(
  admin: Admin,
  topic: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const before = (await readTopicConfigs(admin, [topic])).get(topic)?.own ?? {};
  const configEntries = Object.entries({ ...before, ...config }).map(([name, value]) => ({ name, value }));
  try {
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: topic, configEntries }] });
  } catch (error) {
    throw kafkaError(error, `setting up the topic ${topic}`);
  }
}

const toRecord = (entries: readonly ConfigEntries[]): Record<string, string> =>
  Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
