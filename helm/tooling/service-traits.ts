import type { AnyConfigDefinition } from '@ragmesh/config';
import { processConfig } from '@ragmesh/bootstrap';
import {
  deadLetterTopic,
  eventSpecs,
  retryTopic,
  serviceNames,
  topicsConsumedBy,
  type ServiceName,
} from '@ragmesh/contracts';
import { callsOf } from './service-calls.js';

/** What the code says of a service, as far as a chart must know it. */
export interface ServiceTraits {
  /** Environment variables. */
  readonly reads: readonly string[];
  readonly calls: readonly ServiceName[];
  readonly calledBy: readonly ServiceName[];
  /** Topics it reads, those of retries included. */
  readonly consumes: readonly string[];
  /** Topics it publishes to, those of retries and dead letters included. */
  readonly writes: readonly string[];
  /** As many of its pods get events; 0 where it consumes none. */
  readonly partitions: number;
}

/** What one service reads from its environment. */
export async function configOf(service: ServiceName): Promise<AnyConfigDefinition> {
  const module = (await import(`../../services/${service}/src/${service}.config.ts`)) as Record<
    string,
    AnyConfigDefinition
  >;
  return module[`${service}Config`]!;
}

/** Variables of a definition; a secret may also come from the file that `<name>_FILE` names. */
export const namesOf = ({ variables }: AnyConfigDefinition): string[] =>
  Object.entries(variables)
    .flatMap(([name, { spec }]) => (spec.isSecret ? [name, `${name}_FILE`] : [name]))
    .toSorted();

const writtenBy = (service: ServiceName): string[] => {
  const own = eventSpecs.filter(({ producers }) => producers.includes(service)).map(({ topic }) => topic);
  const consumed = eventSpecs.filter(({ consumers }) => consumers.includes(service)).map(({ topic }) => topic);
  const failed = consumed.flatMap((topic) => [retryTopic(topic, service), deadLetterTopic(topic, service)]);
  return [...new Set([...own, ...failed])];
};

const partitionsOf = (service: ServiceName): number =>
  Math.max(0, ...eventSpecs.filter(({ consumers }) => consumers.includes(service)).map(({ partitions }) => partitions));

/** The traits of all services. */
export async function traitsOfServices(root: string): Promise<Record<ServiceName, ServiceTraits>> {
  const calls = Object.fromEntries(serviceNames.map((name) => [name, callsOf(root, name)])) as Record<
    ServiceName,
    ServiceName[]
  >;
  const entries = await Promise.all(
    serviceNames.map(async (name): Promise<[ServiceName, ServiceTraits]> => {
      const { variables } = await configOf(name);
      return [
        name,
        {
          reads: namesOf({ variables: { ...processConfig.variables, ...variables } }),
          calls: calls[name],
          calledBy: serviceNames.filter((caller) => calls[caller].includes(name)),
          consumes: topicsConsumedBy(name),
          writes: writtenBy(name),
          partitions: partitionsOf(name),
        },
      ];
    }),
  );
  return Object.fromEntries(entries) as Record<ServiceName, ServiceTraits>;
}
