import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { inboxMigrations } from '@ragmesh/inbox';
import { KafkaServer } from '@ragmesh/local-servers';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { outboxMigrations } from '@ragmesh/outbox';
import { createPool, migrate } from '@ragmesh/postgres';
import { sagaMigrations } from '@ragmesh/saga';
import { describeWithServer } from '@ragmesh/testing';
import { startEdgeWithDocuments, type EdgeWithDocuments } from '../../services/gateway/test/edge-with-documents.js';
import { services } from '../services.js';
import { found, gatewayAt } from './situation-for.js';

const faultSaying = (what: RegExp) => expect.objectContaining({ level: 'fault', what: expect.stringMatching(what) });

describe('the doctor looks into a running installation and finds', () => {
  let edge: EdgeWithDocuments;
  let mesh: Record<string, string>;
  beforeAll(async () => {
    edge = await startEdgeWithDocuments({});
    mesh = { DATABASE_URL: edge.databaseUrl('' as ServiceName).replace('/ragmesh_?', '/?') };
  });
  afterAll(() => edge.close());

  const look = (check: string, environment: Record<string, string> = mesh) =>
    found(check, environment, { gateway: gatewayAt(edge.url) });

  async function run(service: ServiceName, sql: string): Promise<void> {
    const pool = createPool(edge.databaseUrl(service));
    await pool.query(sql);
    await pool.end();
  }

  it('databases that are not there yet, and nothing wrong with those that are', async () => {
    const findings = await look('database');
    expect(findings).toHaveLength(services.length - 2);
    expect(new Set(findings.map(({ level }) => level))).toEqual(new Set(['note']));
    expect(JSON.stringify(findings)).not.toMatch(/database for (gateway|document) /);
  });

  it('a login that is refused, without the password', async () => {
    const url = new URL(mesh['DATABASE_URL']!);
    url.password = 'hunter2';
    const findings = await look('database', { DATABASE_URL: url.href });
    expect(findings).toEqual([faultSaying(/does not let us in \(28P01\)/)]);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  it('migrations that are missing, and one that was changed', async () => {
    const last = `(SELECT max(migration_name) FROM _prisma_migrations)`;
    const model = services.find(({ name }) => name === 'model')!;
    await migrate(edge.databaseUrl('model'), outboxMigrations, inboxMigrations, sagaMigrations, model.migrations);
    await run('model', `DELETE FROM _prisma_migrations WHERE migration_name = ${last}`);
    expect(await look('database')).toContainEqual(
      faultSaying(/database of model lacks 1 migrations, the first is \d+_/),
    );
    await run('model', `UPDATE _prisma_migrations SET checksum = 'other' WHERE migration_name = ${last}`);
    expect(await look('database')).toContainEqual(faultSaying(/database of model: Migration .* was changed/));
  });

  it('events that nobody publishes', async () => {
    expect(await look('outbox')).toEqual([]);
    const values = `('t', 'k', '{}', '', now() - interval '2 min', now() - interval '2 min')`;
    await run('model', `INSERT INTO outbox (topic, key, headers, value, created_at, available_at) VALUES ${values}`);
    const waits = [faultSaying(/oldest event of model has waited 1[12]\d s/)];
    expect(await look('outbox')).toEqual(waits);
    const elsewhere = { DATABASE_URL: edge.databaseUrl('gateway'), MODEL_DATABASE_URL: edge.databaseUrl('model') };
    expect(await look('outbox', elsewhere)).toEqual(waits);
  });

  it('a service whose database is on a server of its own, which is away', async () => {
    const findings = await look('database', { ...mesh, MODEL_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/' });
    const faults = findings.filter(({ level }) => level === 'fault');
    expect(faults).toEqual([faultSaying(/the database of model does not let us in \(ECONNREFUSED\)/)]);
    expect(await look('configuration', { ...mesh, MODEL_DATABASE_URL: 'nonsense' })).toContainEqual(
      faultSaying(/^MODEL_DATABASE_URL must be/),
    );
  });

  it('no edge where its database says that there was one', async () => {
    expect(await found('services', mesh)).toEqual([faultSaying(/No ragmesh answers at .*, and one should/)]);
    const before = await found('services', { ...mesh, GATEWAY_DATABASE_URL: edge.databaseUrl('vector') });
    expect(before).toEqual([expect.objectContaining({ level: 'note' })]);
  });

  it('services that do not answer, and an edge that does', async () => {
    const findings = await look('services');
    const away = findings.filter(({ what }) => what.includes('does not answer the edge'));
    expect(away.map(({ what }) => /service (\w+)/.exec(what)![1]).toSorted()).toEqual(
      ['embedding', 'generation', 'knowledge', 'model', 'retrieval', 'vector'].toSorted(),
    );
    expect(findings.map(({ what }) => what)).not.toContainEqual(expect.stringContaining('is not ready'));
    expect(await look('port')).toEqual([]);
    expect(await look('clock')).toEqual([]);
  });

  it('sagas that get nowhere and dead letters that nobody has decided about, whosever they are', async () => {
    expect(await look('sagas')).toEqual([]);
    expect(await look('dead letters')).toEqual([]);
    const saga = `('of-a-spec', 'one', 'acme', 'r', '{}', 'running', 'waiting', '{}', now() - interval '1 hour')`;
    await run(
      'document',
      `INSERT INTO saga (name, id, tenant, request_id, trace, status, step, data, deadline) VALUES ${saga}`,
    );
    const letter = (tenant: string) =>
      `('of-${tenant}', '${tenant}', 'document.index', 'e', 't', 's', 'o', 0, 0, 'k', '{}', '', 'VECTOR.UNAVAILABLE', 'm', 3, now())`;
    await run(
      'document',
      `INSERT INTO dead_letter (id, tenant, handler_id, event_id, event_type, subject, origin_topic, origin_partition,
         origin_offset, key, headers, value, code, message, attempts, first_failed_at) VALUES ${letter('acme')}, ${letter('default')}`,
    );
    const [stuck, ...none] = [...(await look('sagas'))];
    expect(stuck).toEqual(faultSaying(/1 sagas are past the deadline .*of-a-spec .* at waiting; of tenant acme/));
    expect(stuck!.mend).toContain('/resume?tenant=acme');
    const [waiting, ...others] = await look('dead letters');
    expect([...none, ...others]).toEqual([]);
    expect(waiting).toEqual(
      faultSaying(/2 events wait as dead letters: document.index .* VECTOR.UNAVAILABLE; of tenants acme, default/),
    );
    expect(waiting!.mend).toContain('/v1/admin/dead-letters/replay?tenant=acme');
    await run('document', `UPDATE dead_letter SET replays = 3 WHERE tenant = 'acme'`);
    const [parked, quarantined] = [...(await look('dead letters'))];
    expect(parked).toEqual(faultSaying(/1 events wait as dead letters: .*; of tenant default/));
    expect(quarantined).toEqual(faultSaying(/1 events are quarantined.*; of tenant acme/));
    expect(quarantined!.mend).toMatch(/\/retry .*"ids":\["ID"\].*\/discard\?tenant=acme/);
  });
});

describeWithServer('kafka', 'the doctor looks into a cluster', () => {
  it('and finds topics that are not as the catalogue says', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-doctor-kafka-'));
    const kafka = await KafkaServer.start({ dataDir });
    const environment = { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/', KAFKA_BROKERS: kafka.brokers.join(',') };
    const bus = await KafkaBusDriver.connect({ brokers: kafka.brokers, clientId: 'spec' });
    const [first, ...others] = topicSpecs;
    await bus.provision(others);
    const findings = await found('kafka', environment);
    expect(findings).toEqual([faultSaying(new RegExp(`differ from the catalogue: ${first!.name}`))]);
    expect(findings[0]!.mend).toContain('npm run topics -- apply');
    await bus.provision([first!]);
    expect(await found('kafka', environment)).toEqual([]);
    await bus.close();
    await kafka.kill();
    await rm(dataDir, { recursive: true, force: true });
  });
});
