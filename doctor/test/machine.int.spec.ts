import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts } from '@ragmesh/local-servers';
import { CertificateAuthority, describeWithServer } from '@ragmesh/testing';
import { S3Server } from '../../services/document/test/s3-server.js';
import { keepMeshRecord } from '../../services/mesh/src/mesh-record.js';
import { exitCode, jsonReport, textReport } from '../report.js';
import { expiring } from '../checks/certificates.js';
import { skewed } from '../checks/clock.js';
import { runChecks } from '../run-checks.js';
import { situationOf } from '../situation-of.js';
import { Stranger, found, gatewayAt, situationFor } from './situation-for.js';

const folder = mkdtempSync(join(tmpdir(), 'ragmesh-doctor-'));
let closed: number;
/** Answers everything with 401 and a clock of its own. */
let stranger: Stranger;
beforeAll(async () => {
  [closed] = (await freePorts(1)) as [number];
  stranger = await Stranger.start((_request, response) => {
    response.writeHead(401, { date: new Date(Date.now() + 3_600_000).toUTCString() }).end('{}');
  });
});
afterAll(async () => {
  await stranger.stop();
  rmSync(folder, { recursive: true });
});

const faultSaying = (what: RegExp, mend: RegExp) => ({
  ...{ level: 'fault', why: expect.stringMatching(/\w+ .*\./) },
  ...{ what: expect.stringMatching(what), mend: expect.stringMatching(mend) },
});

describe('the doctor finds', () => {
  it('nothing on a machine that is in order', async () => {
    for (const check of ['node', 'configuration', 'data folder', 'port', 'models', 'certificates', 'clock', 'access'])
      expect(await found(check, { RAGMESH_DATA_DIR: join(folder, 'data') })).toEqual([]);
  });

  it('nothing about servers that are not in use', async () => {
    for (const check of ['database', 'kafka', 'redis', 'qdrant', 's3', 'language model'])
      expect(await found(check, {})).toEqual([]);
  });

  it('an old Node', async () => {
    expect(await found('node', {}, { nodeVersion: '18.20.1' })).toEqual([faultSaying(/Node 18\.20\.1/, /npm ci/)]);
  });

  it('every fault of the configuration, one by one, and no secret', async () => {
    const environment = { CHUNK_SIZE: '3', RAGMESH_DATADIR: 'x', RAGMESH_BOOTSTRAP_KEY: 'rgm_hunter2' };
    const findings = await found('configuration', environment);
    expect(findings.map(({ what }) => what)).toEqual([
      expect.stringContaining('RAGMESH_BOOTSTRAP_KEY must be rgm_'),
      expect.stringContaining('CHUNK_SIZE must be a whole number'),
      'RAGMESH_DATADIR is unknown; did you mean RAGMESH_DATA_DIR?',
    ]);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  it('a data folder that cannot be written, and a disk that is nearly full', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const below = { RAGMESH_DATA_DIR: join(file, 'below') };
    const notAFolder = await found('data folder', below);
    expect(notAFolder).toEqual([faultSaying(/cannot be written \((ENOTDIR|EACCES)/, /RAGMESH_DATA_DIR/)]);
    const full = await found('data folder', { RAGMESH_DATA_DIR: folder }, { leastFreeBytes: 2 ** 60 });
    expect(full).toEqual([faultSaying(/has [\d.]+ GiB left/, /du -sh/)]);
  });

  it('a port that another program has', async () => {
    const { port } = new URL(stranger.url);
    const findings = await found('port', {}, { gateway: gatewayAt(stranger.url) });
    expect(findings).toEqual([faultSaying(new RegExp(`Port ${port} is taken`), /lsof -i :\d+/)]);
  });

  it('language models that nobody answers for or that refuse our key, by their providers and without the key', async () => {
    const further = [{ name: 'spare', models: ['m'], base_url: `${stranger.url}/v1`, api_key: 'sk-hunter2' }];
    const environment = {
      ...{ APP_LLM_BACKEND: 'openai', OPENAI_BASE_URL: `http://127.0.0.1:${closed}/v1`, OPENAI_API_KEY: 'sk-hunter2' },
      ...{ LM_MODEL: 'm', LLM_FURTHER_PROVIDERS: JSON.stringify(further) },
    };
    const findings = await found('language model', environment);
    expect(findings).toEqual([
      faultSaying(/provider openai at 127\.0\.0\.1:\d+ cannot be used \(ECONNREFUSED\)/, /OPENAI_BASE_URL/),
      faultSaying(/provider spare at 127.* refuses our key \(status 401\)/, /api_key in LLM_FURTHER_PROVIDERS/),
    ]);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  it('that the edge has given up every language model, whatever is configured here', async () => {
    const health = JSON.stringify({ status: 'degraded', components: { cache: 'up', llm: 'down' } });
    const edge = await Stranger.start((_request, response) => response.end(health));
    const findings = await found('language model', {}, { gateway: gatewayAt(edge.url) });
    await edge.stop();
    expect(findings).toEqual([faultSaying(/no language model works/, /LM_MODEL/)]);
  });

  it('no edge where one is named, and calls nothing fine that only an edge could tell', async () => {
    const findings = await runChecks(situationFor({ RAGMESH: `http://127.0.0.1:${closed}` }));
    const silent = findings.filter(({ check, level }) => check === 'services' || level === 'unseen');
    expect(silent).toEqual([
      { check: 'services', ...faultSaying(/No ragmesh answers at .*, and one should/, /RagmeshServiceDown/) },
      ...['outbox', 'sagas', 'dead letters'].map((check) => expect.objectContaining({ check, level: 'unseen' })),
    ]);
  });

  it('of an edge that shows only one tenant what that one waits for, and says that it is only one', async () => {
    const groups = [{ code: 'VECTOR.UNAVAILABLE', handler: 'vector.index-chunks', count: 3 }];
    const edge = await Stranger.start(({ url }, response) => {
      const own = { groups: url!.includes('status=parked') ? groups : [], data: [] };
      response.writeHead(url!.includes('tenant=') ? 422 : 200).end(JSON.stringify(own));
    });
    const [letters, sagas] = await Promise.all(
      ['dead letters', 'sagas'].map((check) => found(check, {}, { gateway: gatewayAt(edge.url) })),
    );
    await edge.stop();
    const onlyOne = { ...faultSaying(/Only one tenant was looked at/, /npm run doctor/), level: 'note' };
    expect(letters).toEqual([onlyOne, faultSaying(/^3 events .* of tenant of the key/, /dead-letters\/replay"$/)]);
    expect(sagas).toEqual([onlyOne]);
  });

  it('servers that are away, each with its address and without its password', async () => {
    const nobody = `127.0.0.1:${closed}`;
    const mesh = {
      ...{ DATABASE_URL: `postgresql://ragmesh:hunter2@${nobody}/`, KAFKA_BROKERS: nobody },
      ...{ REDIS_URL: `redis://:hunter2@${nobody}`, VECTOR_STORE: 'qdrant', QDRANT_URL: `http://${nobody}` },
      ...{ S3_BUCKET: 'b', S3_ENDPOINT: `http://${nobody}`, S3_ACCESS_KEY_ID: 'k', S3_SECRET_ACCESS_KEY: 'hunter2' },
    };
    const checks = ['database', 'kafka', 'redis', 'qdrant', 's3'];
    const findings = (await Promise.all(checks.map((check) => found(check, mesh)))).flat();
    expect(findings).toEqual([
      faultSaying(/PostgreSQL at 127.*ECONNREFUSED/, /pg_isready/),
      faultSaying(/No broker answers at 127/, /KAFKA_BROKERS/),
      faultSaying(/Redis at 127.*ECONNREFUSED/, /redis-cli/),
      faultSaying(/Qdrant at 127.*ECONNREFUSED/, /QDRANT_URL/),
      faultSaying(/object store of b gives no answer/, /S3_ENDPOINT/),
    ]);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  it('a Qdrant that refuses the key, and a bucket that is not there', async () => {
    const qdrant = await found('qdrant', { VECTOR_STORE: 'qdrant', QDRANT_URL: stranger.url, QDRANT_API_KEY: 'wrong' });
    expect(qdrant).toEqual([faultSaying(/refuses our key \(status 401\)/, /QDRANT_API_KEY/)]);
    const server = await S3Server.start(join(folder, 's3'));
    const bucket = (name: string) => ({ S3_BUCKET: name, S3_ENDPOINT: `http://127.0.0.1:${server.port}` });
    const credentials = { S3_ACCESS_KEY_ID: 'S3RVER', S3_SECRET_ACCESS_KEY: 'S3RVER' };
    expect(await found('s3', { ...bucket('documents'), ...credentials })).toEqual([]);
    const other = await found('s3', { ...bucket('elsewhere'), ...credentials });
    expect(other).toEqual([faultSaying(/There is no bucket elsewhere/, /aws s3 mb s3:\/\/elsewhere/)]);
    await server.stop();
  });

  it('a model whose files were changed', async () => {
    const model = join(folder, 'models', 'mine');
    mkdirSync(model, { recursive: true });
    const files = [{ path: 'weights', bytes: 3, sha256: 'a'.repeat(64) }];
    const about = { name: 'mine', revision: '1', dimension: 3, maxTokens: 8, dtype: 'q8', files };
    writeFileSync(join(model, 'manifest.json'), JSON.stringify(about));
    writeFileSync(join(model, 'weights'), 'abc');
    const findings = await found('models', { RAGMESH_MODELS_DIR: join(folder, 'models') });
    expect(findings).toEqual([faultSaying(/Model mine: .*another SHA-256/, /remove .*mine/)]);
  });

  it('clocks that disagree', async () => {
    const ahead = await found('clock', {}, { gateway: gatewayAt(stranger.url) });
    expect(ahead).toEqual([faultSaying(/clock of the edge is 3[56]\d\d s ahead/, /timedatectl/)]);
    expect(skewed('PostgreSQL', -11)).toEqual([faultSaying(/11 s behind/, /set-ntp/)]);
    expect(skewed('PostgreSQL', 9)).toEqual([]);
  });

  it('who is let in: an open edge, calls in the clear, an identity provider that is away, a key that is refused', async () => {
    const open = { SERVER_HOST: '0.0.0.0', SERVER_TRUSTED_NETWORK: 'on', GRPC_HOST: '0.0.0.0' };
    expect(await found('access', open, { mode: 'mesh' })).toEqual([
      expect.objectContaining({ level: 'note', what: expect.stringContaining('Authentication is off') }),
      expect.objectContaining({ level: 'note', what: 'Services call each other without TLS.' }),
    ]);
    const jwt = { AUTH_MODE: 'jwt', AUTH_JWT_JWKS_URL: `${stranger.url}/jwks` };
    expect(await found('access', jwt)).toEqual([faultSaying(/does not publish its keys.*status 401/, /curl/)]);
    const refused = await found('access', {}, { gateway: gatewayAt(stranger.url, 'rgm_x') });
    expect(refused).toEqual([faultSaying(/refuses the key/, /--key-file/)]);
    const byShell = await found('access', { RAGMESH: stranger.url, RAG_KEY: 'rgm_x' });
    expect(byShell).toEqual(refused);
    const asked = await found('access', {}, { gateway: gatewayAt(stranger.url) });
    expect(asked).toEqual([expect.objectContaining({ level: 'note', what: 'The edge asks for a credential.' })]);
  });
});

describeWithServer('openssl', 'the doctor looks at certificates', () => {
  it('and names those that expire soon or have, whatever they are for, and what to do', async () => {
    const authority = CertificateAuthority.create(join(folder, 'tls')); // for two days
    const [server, calls, kafka] = [40, 10, 1].map((days) => authority.issue(`of-${days}`, days).cert);
    const files = {
      ...{ SERVER_TLS_CERT_FILE: server!, GRPC_TLS_CERT_FILE: calls!, KAFKA_TLS_CERT_FILE: kafka! },
      ...{ QDRANT_TLS_CA_FILE: authority.file, REDIS_TLS_CERT_FILE: join(folder, 'missing') },
    };
    const findings = await found('certificates', files, { gateway: gatewayAt(stranger.url) });
    expect(findings).toEqual([
      faultSaying(/KAFKA_TLS_CERT_FILE .*of-1\.crt.* expires on \d{4}-/, /restart what uses it for Kafka/),
      expect.objectContaining({ level: 'note', what: expect.stringContaining('GRPC_TLS_CERT_FILE') }),
      faultSaying(/QDRANT_TLS_CA_FILE .*expires on/, /renew the file/),
    ]);
    const past = new Date('2026-01-02T03:04:05Z');
    expect(expiring('REDIS_TLS_CERT_FILE', past, past.getTime() + 1)).toEqual([
      faultSaying(/REDIS_TLS_CERT_FILE names has expired on 2026-01-02T03:04 UTC/, /renew the file/),
    ]);
  });
});

it('tells of certificates that cannot be used, in the words of whoever reads them', async () => {
  const environment = { REDIS_URL: 'rediss://127.0.0.1:1', REDIS_TLS_CA_FILE: join(folder, 'no.pem') };
  writeFileSync(environment.REDIS_TLS_CA_FILE, '-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n');
  const findings = await runChecks(situationFor({ ...environment, RAGMESH_DATA_DIR: folder }));
  expect(findings.filter(({ check }) => check === 'redis')).toEqual([
    { check: 'redis', ...faultSaying(/REDIS_TLS_CA_FILE.* cannot be used/, /./) },
  ]);
});

describe('a mesh that was started in this folder and stopped', () => {
  const [place, before] = [mkdtempSync(join(folder, 'place-')), process.cwd()];
  const environment = { SERVER_PORT: '1' };
  beforeAll(async () => {
    const record = { edge: { url: 'http://127.0.0.1:1' }, brokers: '127.0.0.1:1', redis: 'redis://127.0.0.1:1' };
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    mkdirSync(join(place, '.ragmesh-mesh', 'kafka'), { recursive: true });
    await keepMeshRecord(join(place, '.ragmesh-mesh'), { ...record, pid, bus: 'local-kafka' });
    process.chdir(place);
  });
  afterAll(() => process.chdir(before));

  it('is looked at without being named, and nothing is wrong with it', async () => {
    const situation = { ...situationOf(environment), leastFreeBytes: 0 };
    expect(situation.mode).toBe('mesh');
    expect((await runChecks(situation)).filter(({ level }) => level === 'fault')).toEqual([]);
  });

  it('is not guessed beside a standalone ragmesh, nor what one of an earlier release ran on', () => {
    mkdirSync(join('.ragmesh', 'postgres'), { recursive: true });
    expect(() => situationOf(environment)).toThrow(/a standalone ragmesh .* and a mesh .*: set RAGMESH_DATA_DIR/);
    expect(situationOf({ ...environment, RAGMESH_MODE: 'standalone' }).mode).toBe('standalone');
    expect(situationOf(environment, { mode: 'mesh' }).isLocalMesh).toBe(true);
    rmSync(join('.ragmesh-mesh', 'mesh.json'));
    expect(() => situationOf(environment, { mode: 'mesh' })).toThrow(/start it with npm run mesh first/);
  });
});

describe('npm run doctor', () => {
  const env = { PATH: process.env['PATH'], RAGMESH_DATA_DIR: folder };
  const run = (settings: object, ...args: string[]) =>
    spawnSync(process.execPath, ['dist/doctor/main.js', ...args], { env: { ...env, ...settings }, encoding: 'utf8' });

  it('ends with 2 and says what to set where half of a mesh would be out of sight', () => {
    const { status, stderr } = run({ KAFKA_BROKERS: '127.0.0.1:1' });
    expect(stderr).toContain('KAFKA_BROKERS is set and DATABASE_URL is not');
    expect(status).toBe(2);
  });

  it('ends with 1 when something is wrong, and tells programs what', () => {
    const { status, stdout } = run({ SERVER_PORT: String(closed), CHUNK_OVERLAP: '-1' }, '--json');
    expect(status).toBe(1);
    const report = JSON.parse(stdout) as { ok: boolean; mode: string; findings: { check: string; level: string }[] };
    expect(report).toMatchObject({ ok: false, mode: 'standalone' });
    expect(report.findings.filter(({ level }) => level === 'fault').map(({ check }) => check)).toContain(
      'configuration',
    );
  });

  it('ends with 2 when it is asked wrongly', () => {
    const { status, stderr } = run({}, '--mode', 'cluster');
    expect(status).toBe(2);
    expect(stderr).toContain('npm run doctor -- [--mode standalone|mesh]');
  });

  it('tells people what, why and how to mend it, and ends with 0 when there are only notes', () => {
    const words = { what: 'It is off.', why: 'Nobody hears.', mend: 'turn it on' };
    const faults = [{ check: 'port', level: 'fault' as const, ...words }];
    expect(textReport('mesh', faults)).toMatch(
      /^FAULT {2}port: It is off\.\n +why +Nobody hears\.\n +mend +turn it on\n/,
    );
    expect(textReport('mesh', faults)).toContain('1 thing is wrong (mesh)');
    expect(exitCode(faults)).toBe(1);
    const notes = [{ check: 'port', level: 'note' as const, ...words }];
    expect(exitCode(notes)).toBe(0);
    const blind = textReport('mesh', [...notes, { check: 'sagas', level: 'unseen', ...words }]);
    expect(blind).toMatch(
      /Nothing is wrong.*Fine or not in use: node, (?!.*(port|sagas).*\. ).*\. Not looked at: sagas\.$/,
    );
    expect(blind.match(/It is off/g)).toHaveLength(1);
    expect(JSON.parse(jsonReport('mesh', notes))).toMatchObject({ ok: true, findings: notes });
  });
});
