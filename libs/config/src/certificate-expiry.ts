import { X509Certificate } from 'node:crypto';
import type { TlsMaterial } from './tls-files.js';

/** When what one of the files of a TLS connection holds stops being valid. */
export interface CertificateExpiry {
  readonly part: 'CERT' | 'CA';
  readonly at: Date;
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

const endsOf = (pem: Buffer | undefined): number[] =>
  (pem?.toString('latin1').match(CERTIFICATE) ?? []).flatMap((certificate) => {
    try {
      return [new X509Certificate(certificate).validToDate.getTime()];
    } catch {
      return [];
    }
  });
