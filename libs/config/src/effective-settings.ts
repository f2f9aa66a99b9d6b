import type { AnyConfigDefinition } from './config-definition.js';
import type { Environment } from './environment.js';
import { rawValue, type ValueSource } from './raw-value.js';
import { withoutPassword } from './without-password.js';

/** One variable as a process sees it, fit to be shown to an operator. */
export interface Setting {
  readonly name: string;
  readonly source: ValueSource;
  readonly isSecret: boolean;
  readonly isSet: boolean;
  /** As written in the environment; undefined for what is not set and for every secret. */
  readonly value: string | undefined;
  readonly description: string;
}

/** What a process reads, where each value comes from, and no secret. */
export function effectiveSettings({ variables }: AnyConfigDefinition, env: Environment): Setting[] {
  return Object.entries(variables).map(([name, variable]) => {
    const { isSecret, description } = variable.spec;
    const raw = rawValue(name, variable, env);
    // A process with a fault here does not run; the source is where it was looked for.
    const { text, source } = 'fault' in raw ? { text: undefined, source: 'file' as const } : raw;
    const value = isSecret || text === undefined ? undefined : withoutPassword(text);
    return { name, source, isSecret, isSet: text !== undefined, value, description };
  });
}
