import { RagmeshError } from '@ragmesh/errors';
import { serviceSignatures } from '@ragmesh/observability';

type Headers = Readonly<Record<string, string>>;

const SIGNATURE = 'ragmesh-signature';
const PURPOSE = 'event/1';

/**
 * Whom an event is of, and what it is: a record with other values in these is not what its service wrote. Without an expiry, as
 * records are read again for as long as they are kept. Retries, dead letters and replays are copies, and keep the signature.
 */
const signed = ['ce_type', 'ce_source', 'ce_tenant', 'ce_subject', 'ce_actor', 'ce_correlation'] as const;

const fieldsOf = (headers: Headers): string[] => signed.map((name) => headers[name] ?? '');

/** The headers with the signature of this process. */
export const withSignature = <H extends Headers>(headers: H): H & Headers => ({
  ...headers,
  [SIGNATURE]: serviceSignatures().sign(PURPOSE, fieldsOf(headers)),
});

/** @throws RagmeshError EVENT.UNSIGNED unless a service of this installation wrote the headers. */
export function checkSignature(headers: Headers): void {
  const signature = headers[SIGNATURE];
  if (signature === undefined) throw new RagmeshError('EVENT.UNSIGNED', 'The event has no signature.');
  if (!serviceSignatures().holds(signature, PURPOSE, fieldsOf(headers)))
    throw new RagmeshError('EVENT.UNSIGNED', 'The signature of the event is not of its tenant, type and subject.');
}
