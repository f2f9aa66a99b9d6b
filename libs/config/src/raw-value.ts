import type { Environment } from './environment.js';
import { readSecretFile, secretFileName } from './secret-file.js';
import type { Variable } from './variable.js';

/** Where a value comes from. */
export type ValueSource = 'default' | 'env' | 'file';

/** What stands in the environment for a variable, before it is read as its type. */
export type RawValue = { readonly text: string | undefined; readonly source: ValueSource } | { readonly fault: string };

/**
 * A variable's text: from the environment, for a secret also from the file that `NAME_FILE` names, else its default. An
 * empty value counts as unset, as in a compose file's `NAME=`.
 */
export function rawValue(name: string, { spec }: Variable<unknown>, env: Environment): RawValue {
  const given = env[name]?.trim() || undefined;
  const fileVariable = secretFileName(name);
  const file = spec.isSecret ? env[fileVariable]?.trim() || undefined : undefined;
  if (given !== undefined && file !== undefined) return { fault: `${name} and ${fileVariable} are both set; keep one` };
  if (given !== undefined) return { text: given, source: 'env' };
  if (file === undefined) return { text: spec.fallback, source: 'default' };
  const read = readSecretFile(fileVariable, file);
  return 'fault' in read ? read : { text: read.text, source: 'file' };
}
