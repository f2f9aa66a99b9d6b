import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { renderMetrics } from '@ragmesh/observability';
import { CertificateAuthority, describeWithServer, eventually } from '@ragmesh/testing';
import { MountedCertificate } from '../../../libs/bootstrap/test/mounted-certificate.js';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

describeWithServer('openssl', 'an edge whose certificate is renewed on disk', () => {
  let folder: string;
  let authority: CertificateAuthority;
  let mounted: MountedCertificate;
  let edge: EdgeAlone;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ragmesh-renewed-'));
    authority = CertificateAuthority.create(folder);
    mounted = new MountedCertificate(join(folder, 'mounted'));
    mounted.put(authority.issue('first', 3), authority);
    const { SERVER_TLS_CERT_FILE, SERVER_TLS_KEY_FILE } = mounted.variables('SERVER');
    edge = await startEdgeAlone({
      SERVER_TLS_CERT_FILE: SERVER_TLS_CERT_FILE!,
      SERVER_TLS_KEY_FILE: SERVER_TLS_KEY_FILE!,
    });
  });
  afterAll(async () => {
    await edge.close();
    rmSync(folder, { recursive: true });
  });

  const open = (): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const port = Number(new URL(edge.url).port);
      const socket = connect({ host: '127.0.0.1', port, ca: readFileSync(authority.file) }, () => resolve(socket));
      socket.on('error', reject);
    });
  const nameIn = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN);

  /** The name in the certificate that a new connection is shown. */
  async function shown(): Promise<string> {
    const socket = await open();
    const name = nameIn(socket);
    socket.destroy();
    return name;
  }

  const ask = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';
  const answered = (socket: TLSSocket): Promise<string> =>
    new Promise((resolve) => socket.once('data', (bytes: Buffer) => resolve(String(bytes))));

  async function expiry(): Promise<number> {
    const { body } = await renderMetrics();
    const series = /ragmesh_certificate_expiry_timestamp_seconds\{certificate="SERVER_TLS_CERT_FILE"\} (\S+)/;
    return Number(series.exec(body)![1]);
  }
  const endOf = (cert: string): number => new X509Certificate(readFileSync(cert)).validToDate.getTime() / 1000;

  it('shows the new one from the next connection on, and a request over an older one is answered', async () => {
    const early = await open();
    expect(nameIn(early)).toBe('first');
    early.write(ask);
    const before = await expiry();
    expect(before).toBe(endOf(mounted.cert));
    mounted.put(authority.issue('second', 30), authority);
    await eventually('the new certificate is shown', async () => (await shown()) === 'second');
    expect(await expiry()).toBe(endOf(mounted.cert));
    expect(await expiry()).toBeGreaterThan(before);
    const answer = answered(early);
    early.write('\r\n');
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    early.destroy();
  });
});
