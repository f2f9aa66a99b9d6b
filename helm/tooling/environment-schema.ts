import type { AnyConfigDefinition } from '@ragmesh/config';

export type JsonSchema = Record<string, unknown>;

/** Variables that the charts set from other values, or that no pod may have otherwise. */
const setByChart =
  /^(RAGMESH_(MODE|DATA_DIR|TOPIC_PREFIX)|DATABASE_URL|GRPC_(HOST|PORT)|PROBE_(HOST|PORT)|SERVER_(HOST|PORT)|\w+_GRPC_ADDRESS|KAFKA_(BROKERS|TLS|SASL_\w+)|SHUTDOWN_\w+|LOG_LEVEL|SERVICE_AUTH_KEY|GRPC_TLS\w*|OTEL_EXPORTER_OTLP_ENDPOINT|REDIS_URL)$/;

const intRange = /^int(?: from (-?\d+) to (-?\d+)|, at least (-?\d+))?$/;

/** What may stand in `config` for one variable. The service itself is stricter: it reads sizes and times, too. */
function schemaOf(kind: string): JsonSchema {
  if (kind === 'bool') return { type: ['boolean', 'string'], enum: [true, false, 'true', 'false'] };
  const range = intRange.exec(kind);
  if (range) {
    const [, from, to, least] = range;
    const minimum = from ?? least;
    return {
      type: ['integer', 'string'],
      pattern: '^[0-9]+$',
      ...(minimum === undefined ? {} : { minimum: Number(minimum) }),
      ...(to === undefined ? {} : { maximum: Number(to) }),
    };
  }
  const words = kind.split(', ');
  const isChoice = words.length > 1 && words.every((word) => /^[\w+-]+$/.test(word));
  return isChoice ? { enum: words } : { type: ['string', 'number'] };
}

const variablesOf = (definitions: readonly AnyConfigDefinition[]) =>
  Object.entries(
    Object.assign({}, ...definitions.map(({ variables }) => variables)) as AnyConfigDefinition['variables'],
  )
    .filter(([name]) => !setByChart.test(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

/**
 * `config` of a chart: the variables that these definitions read and that are no secrets, though the file with a secret may be
 * named. A wrong name is answered with all right ones.
 */
export function configSchema(definitions: readonly AnyConfigDefinition[]): JsonSchema {
  const entries = variablesOf(definitions).map(([name, { spec }]): [string, JsonSchema] =>
    spec.isSecret
      ? [`${name}_FILE`, { description: `File that holds ${name}`, type: 'string' }]
      : [name, { description: spec.description, ...schemaOf(spec.kind) }],
  );
  const properties = Object.fromEntries(entries);
  return { type: 'object', propertyNames: { enum: Object.keys(properties) }, properties };
}

/** `secretConfig` of a chart: any variable may come from a secret. */
export function secretConfigSchema(definitions: readonly AnyConfigDefinition[]): JsonSchema {
  return {
    type: 'object',
    propertyNames: { enum: variablesOf(definitions).map(([name]) => name) },
    additionalProperties: {
      type: 'object',
      description: 'A key of a secret that exists.',
      required: ['existingSecret', 'key'],
      properties: { existingSecret: { type: 'string', minLength: 1 }, key: { type: 'string', minLength: 1 } },
      additionalProperties: false,
    },
  };
}
