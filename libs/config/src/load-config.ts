import { RagmeshError } from '@ragmesh/errors';
import { ConfigDefinition, type ConfigOf, type Variables } from './config-definition.js';
import type { Environment } from './environment.js';
import { rawValue } from './raw-value.js';
import type { Variable } from './variable.js';
import { withoutPassword } from './without-password.js';

const longestShownValue = 60;

function shown(raw: string, isSecret: boolean): string {
  if (isSecret) return '(its value is secret)';
  const text = withoutPassword(raw);
  return `(is ${JSON.stringify(text.length > longestShownValue ? `${text.slice(0, longestShownValue)}…` : text)})`;
}

type Reading = { readonly value: unknown } | { readonly fault: string };

function read(name: string, variable: Variable<unknown>, env: Environment): Reading {
  const { spec } = variable;
  const raw = rawValue(name, variable, env);
  if ('fault' in raw) return raw;
  if (raw.text === undefined)
    return spec.isOptional ? { value: undefined } : { fault: `${name} is required: ${spec.description}` };
  const result = spec.schema.safeParse(raw.text);
  if (result.success) return { value: result.data };
  return { fault: `${name} ${result.error.issues[0]?.message ?? 'is invalid'} ${shown(raw.text, spec.isSecret)}` };
}

/**
 * Reads a definition's variables from `env`.
 * @param furtherFaults sentences found elsewhere (see `unknownNames`), reported together with those found here.
 * @throws RagmeshError `CONFIG.INVALID` that lists every fault at once, one a line.
 */
export function loadConfig<V extends Variables>(
  definition: ConfigDefinition<V>,
  env: Environment,
  furtherFaults: readonly string[] = [],
): ConfigOf<ConfigDefinition<V>> {
  const faults = [...furtherFaults];
  const values: Record<string, unknown> = {};
  for (const [name, variable] of Object.entries(definition.variables)) {
    const reading = read(name, variable, env);
    if ('fault' in reading) faults.push(reading.fault);
    else values[name] = reading.value;
  }
  const config = Object.freeze(values) as ConfigOf<ConfigDefinition<V>>;
  const isComplete = Object.keys(values).length === Object.keys(definition.variables).length;
  if (isComplete) faults.push(...definition.checks.filter(({ holds }) => !holds(config)).map(({ message }) => message));
  if (faults.length === 0) return config;
  const heading =
    faults.length === 1 ? 'The configuration has a fault:' : `The configuration has ${faults.length} faults:`;
  throw new RagmeshError('CONFIG.INVALID', [heading, ...faults.map((fault) => `  ${fault}`)].join('\n'), {
    faults: faults.length,
  });
}
