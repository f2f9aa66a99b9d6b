import { X509Certificate } from 'node:crypto';
import type { TlsMaterial } from './tls-files.js';

/** When what one of the files of a TLS connection holds stops being valid. */
export interface CertificateExpiry {
  readonly part: 'CERT' | 'CA';
  readonly at: Date;
}

/** From when until when something is valid. */
export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

const CERTIFICATE = /-----BEGIN [^-]*CERTIFICATE-----[^-]*-----END [^-]*CERTIFICATE-----/g;

/**
 * A certificate of one's own lasts as long as the first of its chain that expires, authorities as long as the last one
 * that does: while one holds, somebody is trusted. What is no certificate is passed over.
 */
export function certificateExpiries({ cert, ca }: TlsMaterial): CertificateExpiry[] {
  const [own, trusted] = [endsOf(cert), endsOf(ca)];
  return [
    ...(own.length > 0 ? [{ part: 'CERT' as const, at: new Date(Math.min(...own)) }] : []),
    ...(trusted.length > 0 ? [{ part: 'CA' as const, at: new Date(Math.max(...trusted)) }] : []),
  ];
}

/**
 * Of the certificate that is shown to others, which is the first of its file. What follows may be of use to some who check it
 * and of none to the rest: an authority's signature by its predecessor, say, which expires with that.
 */
export function validityOfOwn({ cert }: TlsMaterial): Validity | undefined {
  const [own] = certificatesIn(cert);
  return own && { from: own.validFromDate, until: own.validToDate };
}

const endsOf = (pem: Buffer | undefined): number[] =>
  certificatesIn(pem).map(({ validToDate }) => validToDate.getTime());

const certificatesIn = (pem: Buffer | undefined): X509Certificate[] =>
  (pem?.toString('latin1').match(CERTIFICATE) ?? []).flatMap((certificate) => {
    try {
      return [new X509Certificate(certificate)];
    } catch {
      return [];
    }
  });
