import type { DocumentedValue } from './documented-values.js';
import type { JsonSchema } from './environment-schema.js';

interface ObjectSchema extends JsonSchema {
  type: 'object';
  properties: Record<string, JsonSchema>;
}

const strictObject = (): ObjectSchema => ({ type: 'object', properties: {}, additionalProperties: false });

function typeOf(fallback: unknown): JsonSchema {
  if (Array.isArray(fallback)) return { type: 'array' };
  if (typeof fallback === 'number') return { type: 'integer', minimum: 0 };
  return { type: typeof fallback };
}

/**
 * The `values.schema.json` of a chart: its documented values and no others.
 * @param rules by path, where the default does not say enough.
 * @param further keys that the chart takes beside them.
 */
export function valuesSchema(
  values: readonly DocumentedValue[],
  rules: Readonly<Record<string, JsonSchema>>,
  further: Readonly<Record<string, JsonSchema>>,
): JsonSchema {
  const root = strictObject();
  for (const { path, description, fallback } of values) {
    const keys = path.split('.');
    const parent = keys.slice(0, -1).reduce((at, key) => (at.properties[key] ??= strictObject()) as ObjectSchema, root);
    parent.properties[keys.at(-1)!] = { description, ...(rules[path] ?? typeOf(fallback)) };
  }
  Object.assign(root.properties, further);
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...root };
}
