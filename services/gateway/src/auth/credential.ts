import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { RagmeshError } from '@ragmesh/errors';

/** What a request shows of who it is from. */
export type Credential =
  | {
      readonly kind: 'key';
      readonly id: string;
      /** Of the key's secret, which goes no further than this. */
      readonly secretSha256: Buffer;
    }
  | { readonly kind: 'token'; readonly token: string };

/** Longest credential that is looked at, in characters; real ones have a few hundred. */
export const MAX_CREDENTIAL_LENGTH = 8_192;

const keyShape = /^rgm_([A-Za-z0-9]{1,40})_([A-Za-z0-9_-]{43,256})$/;

/** What such a key must look like, for the person who makes one. */
export const keyPattern = keyShape;

/**
 * Reads `Authorization: Bearer` or `X-API-Key`.
 * @returns undefined for a credential that cannot be one of ours.
 * @throws RagmeshError AUTH.REQUIRED when the request has none.
 */
export function readCredential(headers: IncomingHttpHeaders): Credential | undefined {
  const { authorization, 'x-api-key': apiKey } = headers;
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  if (bearer === undefined && apiKey === undefined) {
    throw new RagmeshError('AUTH.REQUIRED', 'This route needs a credential.', { field: 'Authorization' });
  }
  // Two that differ: whichever were taken, somebody in between may have taken the other.
  if (bearer !== undefined && apiKey !== undefined && bearer !== apiKey) return undefined;
  const text = bearer ?? String(apiKey);
  if (text.length > MAX_CREDENTIAL_LENGTH) return undefined;
  return parseKey(text) ?? (bearer === undefined ? undefined : { kind: 'token', token: text });
}

/** An API key taken apart; undefined for any other text. */
export function parseKey(text: string): Extract<Credential, { kind: 'key' }> | undefined {
  const [, id, secret] = keyShape.exec(text) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  return { kind: 'key', id, secretSha256: createHash('sha256').update(secret).digest() };
}
