import { createHash } from 'node:crypto';
import { RagmeshError } from '@ragmesh/errors';
import { serviceSignatures } from '@ragmesh/observability';

type Headers = Readonly<Record<string, string>>;

const SIGNATURE = 'ragmesh-signature';
const PURPOSE = 'event/2';

/**
 * Which event it is, whom it is of and what it is about; the bytes of its payload are signed with them. A record with other
 * values in these is not what its service wrote. Without an expiry, as records are read again for as long as they are kept.
 * Retries, dead letters and replays are copies with the same id and bytes, and keep the signature.
 */
const signed = ['ce_id', 'ce_type', 'ce_source', 'ce_tenant', 'ce_subject', 'ce_actor', 'ce_correlation'] as const;

const fieldsOf = (headers: Headers, value: Uint8Array): string[] => [
  ...signed.map((name) => headers[name] ?? ''),
  createHash('sha256').update(value).digest('base64url'),
];

/** The headers with the signature of this process over them and the payload. */
export const withSignature = <H extends Headers>(headers: H, value: Uint8Array): H & Headers => ({
  ...headers,
  [SIGNATURE]: serviceSignatures().sign(PURPOSE, fieldsOf(headers, value)),
});

/** @throws RagmeshError EVENT.UNSIGNED unless a service of this installation wrote the headers with this payload. */
export function checkSignature(headers: Headers, value: Uint8Array): void {
  const signature = headers[SIGNATURE];
  if (signature === undefined) throw new RagmeshError('EVENT.UNSIGNED', 'The event has no signature.');
  if (!serviceSignatures().holds(signature, PURPOSE, fieldsOf(headers, value)))
    throw new RagmeshError('EVENT.UNSIGNED', 'The signature of the event is not of its id, tenant, type and payload.');
}
