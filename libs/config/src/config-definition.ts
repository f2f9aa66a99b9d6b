import type { Variable } from './variable.js';

/** Variables by name. A library offers such a fragment for what it reads; a service spreads it into its definition. */
export type Variables = Readonly<Record<string, Variable<unknown>>>;

type ValuesOf<V extends Variables> = { readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never };

interface Check<V extends Variables> {
  readonly message: string;
  readonly holds: (config: ValuesOf<V>) => boolean;
}

/** Everything one process reads from its environment, in one place. */
export class ConfigDefinition<V extends Variables> {
  constructor(
    readonly variables: V,
    readonly checks: readonly Check<V>[] = [],
  ) {}

  /** A rule between variables; `message` is what start-up prints when it does not hold. */
  check(message: string, holds: (config: ValuesOf<V>) => boolean): ConfigDefinition<V> {
    return new ConfigDefinition(this.variables, [...this.checks, { message, holds }]);
  }
}

export type AnyConfigDefinition = Pick<ConfigDefinition<Variables>, 'variables'>;

/** The values that `loadConfig` gives for a definition. */
export type ConfigOf<D> = D extends ConfigDefinition<infer V> ? ValuesOf<V> : never;

export function defineConfig<V extends Variables>(variables: V): ConfigDefinition<V> {
  return new ConfigDefinition(variables);
}
