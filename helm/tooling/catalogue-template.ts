import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { stringify } from 'yaml';
import { resolveKafkaOptions } from '../../libs/messaging/src/kafka/kafka-bus-options.js';
import { topicConfig } from '../../libs/messaging/src/kafka/topic-drift.js';
import type { ServiceTraits } from './service-traits.js';

const yaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
const define = (name: string, value: unknown): string =>
  `{{- define "ragmesh-common.${name}" -}}\n${yaml(value)}{{- end -}}\n`;

/** What templates know of the code, as named templates: only those reach a library chart. Many ask for one service, so each has its own. */
export function catalogueTemplate(services: Record<ServiceName, ServiceTraits>): string {
  const { maxRecordBytes } = resolveKafkaOptions({ brokers: [], clientId: 'ragmesh' });
  const topics = topicSpecs.map((spec) => ({
    name: spec.name,
    partitions: spec.partitions,
    config: topicConfig(spec, maxRecordBytes),
  }));
  const traits = Object.entries(services).map(([name, value]) => define(`traits.${name}`, value));
  return [
    '{{/* Made by "npm run docs" from the code; change it there. */}}\n',
    ...traits,
    define('topics', { topics }),
  ].join('');
}
