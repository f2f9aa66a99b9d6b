import { readFileSync } from 'node:fs';

/** A secret is a password, a key or a URL with one in it; anything longer is the wrong file. */
const MAX_SECRET_BYTES = 64 * 1024;

/** Name of the variable with the path of a file that holds a secret, in place of the secret itself. */
export const secretFileName = (name: string): string => `${name}_FILE`;

/** The secret, or what is wrong with its file. */
export type SecretFile = { readonly text: string } | { readonly fault: string };

/**
 * Reads a secret from the file that `variable` names, as orchestrators mount them. Line ends after it are cut: editors and
 * `echo` put them there, and no key ends with one. No fault ever repeats what a file holds.
 */
export function readSecretFile(variable: string, path: string): SecretFile {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_SECRET_BYTES)
      return { fault: `${variable} names a file of more than ${MAX_SECRET_BYTES} bytes, which is no secret: ${path}` };
    const text = bytes.toString('utf8').replace(/[\r\n]+$/, '');
    return text === '' ? { fault: `${variable} names an empty file: ${path}` } : { text };
  } catch (error) {
    return {
      fault: `${variable} names a file that cannot be read (${(error as NodeJS.ErrnoException).code}): ${path}`,
    };
  }
}
