import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { createRequire } from 'node:module';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { loadConfig } from '@ragmesh/config';
import { documentV1 } from '@ragmesh/contracts';
import {
  CallContextInterceptor,
  RpcErrorFilter,
  createGrpcClient,
  grpcTransport,
  type GrpcClient,
  type GrpcTls,
} from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { inContext, useServiceKeys } from '@ragmesh/observability';
import { CertificateAuthority, describeWithServer, eventually } from '@ragmesh/testing';
import { CallServer } from '../src/call-server.js';
import { CertificateWatch } from '../src/certificate-watch.js';
import { processConfig } from '../src/process.config.js';
import { grpcTls } from '../src/tls.config.js';
import { Service, begin } from './calls-documents.js';
import { MountedCertificate } from './mounted-certificate.js';

/** Connections are so young that clients make new ones all the time; what runs on an old one goes on. */
const AGE = { ageMs: 300, graceMs: 60_000 };
const given = { DATABASE_URL: 'postgresql://ragmesh@db/', SERVICE_AUTH_KEY: 'k'.repeat(40) };
const mtls = { GRPC_TLS: 'mtls', GRPC_TLS_SERVER_NAME: 'localhost' };
/** grpc-js has read GRPC_SSL_CIPHER_SUITES by the time a spec begins, so what it has read is set. */
const ONLY_SUITE = 'TLS_AES_128_GCM_SHA256';
Object.assign(createRequire(import.meta.url)('@grpc/grpc-js/build/src/tls-helpers.js') as object, {
  CIPHER_SUITES: ONLY_SUITE,
});
const asCaller = <T>(work: () => T): T => inContext({ tenant: 'acme', subject: 'spec', requestId: 'r' }, work);

describeWithServer('openssl', 'calls between services whose certificates are renewed on disk', () => {
  let folder: string;
  let authority: CertificateAuthority;
  let successor: CertificateAuthority;
  let mounted: MountedCertificate;
  let watch: CertificateWatch<GrpcTls>;
  let server: INestMicroservice;
  let tls: GrpcTls;
  let port: number;
  let warnings: object[];
  let client: GrpcClient<typeof documentV1.DocumentService>;

  beforeEach(async () => {
    useServiceKeys(['a-key-of-all-services-of-this-mesh']);
    begin();
    folder = mkdtempSync(join(tmpdir(), 'ragmesh-renewed-'));
    authority = CertificateAuthority.create(folder);
    successor = CertificateAuthority.create(folder, 'successor');
    mounted = new MountedCertificate(join(folder, 'mounted'));
    mounted.put(authority.issue('first'), authority, successor);
    [port] = (await freePorts(1)) as [number];
    const config = loadConfig(processConfig, { ...given, ...mtls, ...mounted.variables('GRPC') });
    warnings = [];
    const logger = { info: () => undefined, warn: (fields: object) => warnings.push(fields) } as never;
    watch = CertificateWatch.start('GRPC', () => grpcTls(config), logger)!;
    tls = { ...watch.current, follow: watch.follow.bind(watch) };
    const transport = grpcTransport([documentV1.DocumentService], `127.0.0.1:${port}`, 'document', tls, AGE);
    server = await NestFactory.createMicroservice(Service, { strategy: new CallServer(transport), logger: false });
    server.useGlobalFilters(new RpcErrorFilter('document')).useGlobalInterceptors(new CallContextInterceptor());
    await server.listen();
    client = clientOf(tls);
  });
  afterEach(async () => {
    client.close();
    await server.close();
    watch.close();
    rmSync(folder, { recursive: true });
  });

  const clientOf = (how: GrpcTls) => createGrpcClient(documentV1.DocumentService, `127.0.0.1:${port}`, 'document', how);
  const call = (by = client) => asCaller(() => by.getDocument({ id: 'known' }, { deadlineMs: 60_000 }));

  /** The name in the certificate that a new connection is shown, and how the connection is encrypted. */
  const connection = (): Promise<{ name: string; suite: string }> =>
    new Promise((resolve, reject) => {
      const ca = [authority, successor].map(({ file }) => readFileSync(file));
      const socket = connect({ host: 'localhost', port, ca, ALPNProtocols: ['h2'] }, () => {
        resolve({ name: String(socket.getPeerCertificate().subject.CN), suite: socket.getCipher().name });
        socket.destroy();
      }).on('error', reject);
    });
  const shown = async (): Promise<string> => (await connection()).name;

  it('show and trust the new ones from the next connection on, while a stream goes on over the old one', async () => {
    await call();
    const parts = client.getContent({ id: 'endless' }, { deadlineMs: 60_000 })[Symbol.asyncIterator]();
    await asCaller(() => parts.next());
    mounted.put(successor.issue('second'), successor);
    await eventually('the second certificate is shown', async () => (await shown()) === 'second');
    expect((await connection()).suite).toBe(ONLY_SUITE);
    const [cert, key] = ['crt', 'key'].map((ending) => readFileSync(join(folder, `first.${ending}`)));
    const old = clientOf({
      cert: cert!,
      key: key!,
      ca: readFileSync(successor.file),
      isMutual: true,
      serverName: 'localhost',
    });
    await expect(call(old)).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    old.close();
    // It trusts the successor alone, as the server does: only with both renewed are calls answered over a new connection.
    for (const end = Date.now() + 3 * AGE.ageMs; Date.now() < end;) await call();
    const late = clientOf(tls);
    await call(late);
    late.close();
    for (let more = 0; more < 200; more += 1) expect((await parts.next()).done).toBe(false);
    await parts.return?.(undefined);
  });

  it('go on with the old ones while the new ones cannot be used', async () => {
    const [half, other] = [authority.issue('half'), authority.issue('other')];
    mounted.put({ ...half, key: other.key }, authority);
    await eventually('the warning', () => warnings[0]);
    expect(warnings).toEqual([expect.objectContaining({ code: 'CONFIG.INVALID', certificate: 'GRPC' })]);
    for (const end = Date.now() + 3 * AGE.ageMs; Date.now() < end;) await call();
    expect(await shown()).toBe('first');
    mounted.put(authority.issue('whole'), authority);
    await eventually('the whole one is shown', async () => (await shown()) === 'whole');
    expect(warnings).toHaveLength(1);
  });
});
