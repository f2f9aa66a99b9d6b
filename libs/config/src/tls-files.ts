import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { RagmeshError } from '@ragmesh/errors';
import { file } from './variable-types.js';
import type { Variable } from './variable.js';

type Part = 'CA' | 'CERT' | 'KEY';
type TlsFileName<P extends string> = `${P}_TLS_${Part}_FILE`;

/** Variables with the files of one TLS connection. */
export type TlsFileVariables<P extends string> = { readonly [K in TlsFileName<P>]: Variable<string | undefined> };
type TlsFilePaths<P extends string> = { readonly [K in TlsFileName<P>]: string | undefined };

/** What the files hold (PEM), in the shape Node's TLS takes. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** `<prefix>_TLS_CA_FILE`, `_CERT_FILE` and `_KEY_FILE`. @param server what is connected to, for people. */
export function tlsFileVariables<P extends string>(prefix: P, server: string): TlsFileVariables<P> {
  const variables: Record<`${string}_TLS_${Part}_FILE`, Variable<string | undefined>> = {
    [`${prefix}_TLS_CA_FILE` as const]: file()
      .optional()
      .describe(`Certificates (PEM) of the authorities that vouch for ${server}; the system's unless set`),
    [`${prefix}_TLS_CERT_FILE` as const]: file()
      .optional()
      .describe(`Certificate (PEM) shown to ${server} when asked for one (mTLS)`),
    [`${prefix}_TLS_KEY_FILE` as const]: file().optional().describe('Private key (PEM) of that certificate'),
  };
  return variables as TlsFileVariables<P>;
}

/** Whether certificate and key are both there or both missing, for a definition's `check`. */
export const isTlsPairWhole =
  (prefix: string) =>
  (config: object): boolean =>
    (pathOf(config, prefix, 'CERT') === undefined) === (pathOf(config, prefix, 'KEY') === undefined);

/**
 * Whether no file is named for a line that is not encrypted, for a definition's `check`: who names one believes that it is.
 * @param isOn whether the line is encrypted.
 */
export const isTlsUsed =
  <C extends object>(prefix: string, isOn: (config: C) => boolean) =>
  (config: C): boolean =>
    isOn(config) || (['CA', 'CERT', 'KEY'] as const).every((part) => pathOf(config, prefix, part) === undefined);

/** What is said when {@link isTlsPairWhole} does not hold. */
export const tlsPairFault = (prefix: string): string =>
  `${prefix}_TLS_CERT_FILE and ${prefix}_TLS_KEY_FILE must be set together`;

/**
 * Reads the files as they are at the moment; undefined when none is named.
 * @throws RagmeshError CONFIG.INVALID for files that are not PEM, a key that is not the certificate's, or one without the other.
 */
export function readTlsFiles<P extends string>(config: Partial<TlsFilePaths<P>>, prefix: P): TlsMaterial | undefined {
  const [ca, cert, key] = (['CA', 'CERT', 'KEY'] as const).map((part) => pathOf(config, prefix, part));
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if (!isTlsPairWhole(prefix)(config)) throw new RagmeshError('CONFIG.INVALID', `${tlsPairFault(prefix)}.`);
  try {
    const material = { ...read('ca', ca), ...read('cert', cert), ...read('key', key) };
    createSecureContext(material);
    if (material.ca) new X509Certificate(material.ca); // the context above takes an authority that is none
    return material;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const what = `The files of ${prefix}_TLS_CA_FILE, ${prefix}_TLS_CERT_FILE and ${prefix}_TLS_KEY_FILE cannot be used`;
    throw new RagmeshError('CONFIG.INVALID', `${what} (${code}): they must be PEM, and the key the certificate's.`);
  }
}

const pathOf = (config: object, prefix: string, part: Part): string | undefined =>
  (config as Record<string, string | undefined>)[`${prefix}_TLS_${part}_FILE`];

const read = (name: keyof TlsMaterial, path: string | undefined): TlsMaterial =>
  path === undefined ? {} : { [name]: readFileSync(path) };
