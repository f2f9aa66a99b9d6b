import { eventSpecs, serviceNames, type ServiceName } from './event-catalogue.js';

/** A topic to provision. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly retentionHours: number;
}

/** The group that all copies of a service read as. */
export const consumerGroup = (service: ServiceName): string => `ragmesh.${service}`;

/** Where a service puts an event it will try again; `handler` names which of its handlers. */
export const retryTopic = (topic: string, service: ServiceName): string => `${topic}.${service}.retry`;

/** Where a service puts an event it gives up. */
export const deadLetterTopic = (topic: string, service: ServiceName): string => `${topic}.${service}.dlt`;

/** The topic of the event that lies on a retry or dead letter topic; any other topic is its own. */
export const eventTopicOf = (topic: string): string => topic.replace(/\.[^.]+\.(retry|dlt)$/, '');

/** Topics a service reads: those of its events and commands, each with its retry topic. */
export function topicsConsumedBy(service: ServiceName): string[] {
  const own = new Set(eventSpecs.filter((spec) => spec.consumers.includes(service)).map((spec) => spec.topic));
  return [...own].flatMap((topic) => [topic, retryTopic(topic, service)]);
}

function allTopics(): TopicSpec[] {
  const topics = new Map<string, TopicSpec>();
  for (const spec of eventSpecs) {
    const { topic, partitions, retentionHours } = spec;
    topics.set(topic, { name: topic, partitions, retentionHours });
    for (const service of spec.consumers) {
      topics.set(retryTopic(topic, service), { name: retryTopic(topic, service), partitions, retentionHours });
      topics.set(deadLetterTopic(topic, service), {
        name: deadLetterTopic(topic, service),
        partitions: 1,
        retentionHours: 24 * 30,
      });
    }
  }
  for (const service of serviceNames) {
    const name = `${service}.commands`;
    if (!topics.has(name)) topics.set(name, { name, partitions: 6, retentionHours: 168 });
  }
  return [...topics.values()];
}

/** Every topic of the mesh, without the installation's prefix. */
export const topicSpecs: readonly TopicSpec[] = allTopics();
