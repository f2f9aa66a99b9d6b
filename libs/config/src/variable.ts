import { z } from 'zod';

/** How a variable is written in the environment and read from it. */
interface VariableSpec<T> {
  readonly kind: string;
  readonly schema: z.ZodType<T>;
  readonly description: string;
  readonly fallback?: string;
  readonly isSecret: boolean;
  readonly isOptional: boolean;
}

/** One environment variable: its type, range, default, secrecy and meaning. Immutable; each method gives a new one. */
export class Variable<T> {
  constructor(readonly spec: VariableSpec<T>) {}

  /** @param value as it would stand in the environment (`'25mb'`) or as a value (`5`, `true`). */
  default(value: string | number | boolean): Variable<Exclude<T, undefined>> {
    return this.with({ fallback: String(value) }) as Variable<Exclude<T, undefined>>;
  }

  describe(description: string): Variable<T> {
    return this.with({ description });
  }

  /** Without a value it is `undefined` instead of a start-up fault. */
  optional(): Variable<T | undefined> {
    return this.with({ isOptional: true }) as Variable<T | undefined>;
  }

  /** Its value appears in no message, log or table. */
  secret(): Variable<T> {
    return this.with({ isSecret: true });
  }

  private with(change: Partial<VariableSpec<T>>): Variable<T> {
    return new Variable({ ...this.spec, ...change });
  }
}

/** @param schema reads the text of the environment; its messages finish the sentence "NAME …". */
export function variable<T>(kind: string, schema: z.ZodType<T>): Variable<T> {
  return new Variable({ kind, schema, description: '', isSecret: false, isOptional: false });
}
