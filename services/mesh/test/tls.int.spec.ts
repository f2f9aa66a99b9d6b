import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { catalogue, knowledgeV1 } from '@ragmesh/contracts';
import { createGrpcClient, type GrpcTls } from '@ragmesh/grpc';
import { KafkaServer } from '@ragmesh/local-servers';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { inContext, useServiceKeys } from '@ragmesh/observability';
import { createPool } from '@ragmesh/postgres';
import { CertificateAuthority, describeWithServer, eventually, type IssuedCertificate } from '@ragmesh/testing';
import { writeUnreadable } from '../../../libs/messaging/test/unreadable-record.js';
import { BareMesh } from './bare-mesh.js';
import { newDataDir, removeDataDir } from './data-dir.js';
import type { ServiceCopy } from './service-copy.js';
import { requireTls } from './tls-postgres.js';

describeWithServer(['kafka', 'openssl'], 'a mesh in which every line is encrypted', () => {
  let dataDir: string;
  let authority: CertificateAuthority;
  let successor: CertificateAuthority;
  let mine: IssuedCertificate;
  let kafka: KafkaServer;
  let mesh: BareMesh;
  let databaseUrl: string;
  let knowledge: ServiceCopy;
  let gateway: ServiceCopy;

  beforeAll(async () => {
    dataDir = await newDataDir();
    authority = CertificateAuthority.create(join(dataDir, 'tls'));
    successor = CertificateAuthority.create(join(dataDir, 'tls'), 'successor');
    mine = authority.issue('service');
    const trusted = join(dataDir, 'tls', 'trusted.pem');
    writeFileSync(trusted, [authority, successor].map(({ file }) => readFileSync(file, 'utf8')).join(''));
    const broker = { keyStore: authority.issue('broker').both, trustStore: authority.file };
    [kafka, mesh] = await Promise.all([
      KafkaServer.start({ dataDir: join(dataDir, 'kafka'), tls: broker }),
      BareMesh.open(dataDir, {}, 1),
    ]);
    databaseUrl = await requireTls({
      ...{ databaseUrl: `${mesh.databaseUrl.replace('/?', '/postgres?')}`, dataDir },
      ...{ authority: authority.file, server: authority.issue('postgres') },
    });
    const files = (prefix: string) => ({
      [`${prefix}_TLS_CA_FILE`]: trusted,
      [`${prefix}_TLS_CERT_FILE`]: mine.cert,
      [`${prefix}_TLS_KEY_FILE`]: mine.key,
    });
    const encrypted = {
      ...{ DATABASE_URL: databaseUrl, DATABASE_TLS: 'on', ...files('DATABASE') },
      ...{ KAFKA_BROKERS: kafka.tlsBrokers.join(','), KAFKA_TLS: 'on', ...files('KAFKA') },
      ...{ GRPC_TLS: 'mtls', GRPC_TLS_SERVER_NAME: 'localhost', ...files('GRPC') },
      ...{ SHUTDOWN_GRACE_SECONDS: '0', SHUTDOWN_DEADLINE_SECONDS: '1' },
    };
    knowledge = await mesh.start('knowledge', 0, encrypted);
    gateway = await mesh.start('gateway', 0, { ...encrypted, ...files('SERVER') });
  });
  afterAll(async () => {
    await mesh.close();
    await kafka.kill();
    await removeDataDir(dataDir);
  });

  const pem = (file: string): Buffer => readFileSync(file);
  const withCertificate = (): GrpcTls => ({
    ...{ ca: pem(authority.file), cert: pem(mine.cert), key: pem(mine.key), isMutual: true, serverName: 'localhost' },
  });

  /** Ids of collections, straight from the service that keeps them. */
  async function collectionsOver(tls: GrpcTls | undefined): Promise<string[]> {
    useServiceKeys([knowledge.environment['SERVICE_AUTH_KEY']!]);
    const address = `127.0.0.1:${knowledge.environment['GRPC_PORT']}`;
    const client = createGrpcClient(knowledgeV1.KnowledgeService, address, 'knowledge', tls);
    const context = { tenant: 'default', subject: 'spec', requestId: 'spec' };
    const call = () => client.listCollections({ limit: 10 }, { deadlineMs: 60_000 });
    try {
      return (await inContext(context, call)).collections.map(({ id }) => id);
    } finally {
      client.close();
    }
  }

  function ask(method: string, path: string, body: string | undefined, tls: object): Promise<number> {
    const address = { host: 'localhost', port: Number(gateway.environment['SERVER_PORT']), method, path };
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      request({ ...address, headers, ...tls }, (answer) => resolve(answer.resume().statusCode!))
        .on('error', reject)
        .end(body);
    });
  }
  const asClient = () => ({ ca: pem(authority.file), cert: pem(mine.cert), key: pem(mine.key) });

  it('answers over HTTPS, through gRPC, Kafka and PostgreSQL with certificates on both sides', async () => {
    expect(await ask('POST', '/v1/collections', '{"id":"encrypted"}', asClient())).toBe(201);
    expect(await collectionsOver(withCertificate())).toContain('encrypted');
    expect(gateway.said).toContain(`https://127.0.0.1:${gateway.environment['SERVER_PORT']}`);
  });

  it('has the edge refuse clients that show no certificate, and is refused by those that do not trust it', async () => {
    const { ca, ...certificate } = asClient();
    await expect(ask('GET', '/healthz', undefined, { ca })).rejects.toThrow(/certificate required|ECONNRESET|EPIPE/);
    await expect(ask('GET', '/healthz', undefined, certificate)).rejects.toThrow(/self-signed certificate/);
    await expect(fetch(`http://localhost:${gateway.environment['SERVER_PORT']}/healthz`)).rejects.toThrow();
  });

  it('has a service refuse callers without a certificate, with a stranger’s, and in the clear', async () => {
    const stranger = CertificateAuthority.create(join(dataDir, 'tls'), 'stranger');
    const theirs = stranger.issue('intruder');
    const refused = { code: 'DEPENDENCY.UNAVAILABLE' };
    await expect(collectionsOver({ ...withCertificate(), isMutual: false })).rejects.toMatchObject(refused);
    const strange = { ...withCertificate(), cert: pem(theirs.cert), key: pem(theirs.key) };
    await expect(collectionsOver(strange)).rejects.toMatchObject(refused);
    await expect(collectionsOver({ ...withCertificate(), ca: pem(stranger.file) })).rejects.toMatchObject(refused);
    await expect(collectionsOver(undefined)).rejects.toMatchObject(refused);
  });

  it('keeps TLS with the database for every connection, also the one that listens', async () => {
    const url = `${databaseUrl}postgres?sslmode=verify-full&sslrootcert=${authority.file}`;
    const pool = createPool(`${url}&sslcert=${mine.cert}&sslkey=${mine.key}`);
    const { rows } = await pool.query(
      `SELECT application_name AS name, bool_and(ssl) AS encrypted, min(client_dn) AS dn FROM pg_stat_ssl
       JOIN pg_stat_activity USING (pid) WHERE application_name ~ '^ragmesh-[a-z]+$' GROUP BY 1 ORDER BY 1`,
    );
    await pool.end();
    const line = { encrypted: true, dn: '/CN=service' };
    expect(rows).toEqual(
      ['gateway', 'knowledge', 'notifications'].map((name) => ({ name: `ragmesh-${name}`, ...line })),
    );
    const uncertified = createPool(url);
    await expect(uncertified.query('SELECT 1')).rejects.toThrow(/certificate/);
    await uncertified.end();
  });

  it('has brokers refuse a client without a certificate', async () => {
    const lone = KafkaBusDriver.connect({
      ...{ brokers: kafka.tlsBrokers, clientId: 'spec', tls: { ca: pem(authority.file) }, closeTimeoutMs: 1 },
    });
    await expect(lone).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
  });

  it('takes a certificate of another authority by a restart, and asks none of callers where TLS is one-sided', async () => {
    await knowledge.stop();
    const renewed = successor.issue('renewed');
    const files = { GRPC_TLS_CERT_FILE: renewed.cert, GRPC_TLS_KEY_FILE: renewed.key };
    knowledge = await mesh.start('knowledge', 0, { ...knowledge.environment, ...files, GRPC_TLS: 'tls' });
    const list = () => ask('GET', '/v1/collections', undefined, asClient());
    await eventually('the edge reaches it', async () => (await list()) === 200);
    await expect(collectionsOver(withCertificate())).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    const onlyTrusting = { ...withCertificate(), ca: pem(successor.file), isMutual: false };
    expect(await collectionsOver(onlyTrusting)).toContain('encrypted');
  });

  // Here because these are processes on Kafka: events over tables have no end like this.
  it('has the liveness probe of a service fail once it can take no more events, so that it is started again', async () => {
    const alive = async () => (await fetch(`${knowledge.probeUrl}/healthz`)).status;
    expect(await alive()).toBe(200);
    await writeUnreadable(kafka.brokers, catalogue.documentReady.topic);
    await eventually('the liveness probe fails', async () => (await alive()) === 503);
  });
});
