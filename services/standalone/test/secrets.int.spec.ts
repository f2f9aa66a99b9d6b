import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkConfiguration, processConfig } from '@ragmesh/bootstrap';
import { effectiveSettings, secretFileName } from '@ragmesh/config';
import { freePorts } from '@ragmesh/local-servers';
import { eventually } from '@ragmesh/testing';
import { meshConfig } from '../../mesh/src/mesh.config.js';
import { ErrorReportReceiver } from '../../mesh/test/error-report-receiver.js';
import { ServiceCopy } from '../../mesh/test/service-copy.js';
import { backends, edge } from '../src/services.js';
import { standaloneConfig } from '../src/standalone.config.js';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';
import { MARKER, plantedSecrets, secretNames, suspiciousNames, type Strangers } from './secret-values.js';

const services = [edge, ...backends].map(({ config }) => config);
const definitions = [...services, standaloneConfig, processConfig, meshConfig];

describe('secrets', () => {
  let dataDir: string;
  let stranger: Server;
  let strangers: Strangers;
  beforeAll(async () => {
    dataDir = await newDataDir();
    // As careless providers do, it repeats what it was sent.
    stranger = createServer(({ headers, url }, response) => {
      const said = { error: { message: `Refused ${headers.authorization} ${headers['api-key']} ${url}` } };
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const [closed] = await freePorts(1);
    const refusing = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    strangers = { refusing, nobody: `127.0.0.1:${closed}` };
  });
  afterAll(async () => {
    stranger.close();
    stranger.closeAllConnections();
    await removeDataDir(dataDir);
  });

  it('are all planted here, and nothing that sounds like one is declared as something else', () => {
    const names = [...new Set(definitions.flatMap(secretNames))].toSorted();
    expect(Object.keys(plantedSecrets(strangers)).toSorted()).toEqual(names);
    const harmless =
      /^QUOTA_KEY_|_TLS_KEY_FILE$|^S3_ACCESS_KEY_ID$|TOKENS|FIRST_TOKEN|^AUTH_KEY_CACHE|^CHUNK|TOKENIZER/;
    expect(definitions.flatMap(suspiciousNames).filter((name) => !harmless.test(name))).toEqual([]);
  });

  it('are in no fault of the configuration and no setting, wherever they come from', () => {
    const planted = plantedSecrets(strangers);
    const folder = join(dataDir, 'secret-files');
    mkdirSync(folder);
    const files = Object.entries(planted).map(([name, text]) => {
      writeFileSync(join(folder, name), `${text}\n`);
      return [secretFileName(name), join(folder, name)];
    });
    const wrong = Object.fromEntries(Object.keys(planted).map((name) => [name, `${MARKER} not of its kind`]));
    const twice = { ...planted, ...(Object.fromEntries(files) as Record<string, string>) };
    for (const definition of definitions) {
      for (const environment of [wrong, twice, Object.fromEntries(files) as Record<string, string>]) {
        expect(messageOf(() => checkConfiguration([definition], environment))).not.toContain(MARKER);
        expect(JSON.stringify(effectiveSettings(definition, environment))).not.toContain(MARKER);
      }
    }
  });

  it('are not said by a service whose servers refuse it or are away', async () => {
    const [port, probe] = await freePorts(2);
    const copy = ServiceCopy.spawn('knowledge', {
      ...plantedSecrets(strangers),
      ...{ GRPC_PORT: String(port), PROBE_PORT: String(probe), LOG_LEVEL: 'trace' },
      ...{ KAFKA_BROKERS: strangers.nobody, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'ragmesh' },
    });
    await eventually('it says why it waits', () => copy.said.includes('cannot start yet'));
    await copy.stop();
    expect(copy.said).not.toContain(MARKER);
  });

  describe('in a running mesh in which everything fails', () => {
    let mesh: Mesh;
    let reports: ErrorReportReceiver;
    let credential: Record<string, string>;
    const heard: string[] = [];
    beforeAll(async () => {
      const { DATABASE_URL: _none, KAFKA_SASL_PASSWORD: _neither, ...planted } = plantedSecrets(strangers);
      const { refusing } = strangers;
      reports = await ErrorReportReceiver.start();
      mesh = await startMesh(dataDir, {
        environment: {
          ...planted,
          ...{ LOG_LEVEL: 'trace', AUTH_MODE: 'keys', REQUEST_TIMEOUT_SECONDS: '5' },
          ...{ APP_EMBEDDINGS_BACKEND: 'openai', EMBEDDING_MODEL: 'm', EMBEDDING_BASE_URL: `${refusing}/v1` },
          ...{ APP_LLM_BACKEND: 'openai', LM_MODEL: 'm', OPENAI_BASE_URL: `${refusing}/v1`, HF_ENDPOINT: refusing },
          ...{ VECTOR_STORE: 'qdrant', QDRANT_URL: refusing },
          SENTRY_DSN: reports.dsn(`${MARKER}sentry`),
          ...{ S3_BUCKET: 'b', S3_ENDPOINT: refusing, S3_ACCESS_KEY_ID: 'ragmesh' },
        },
      });
      credential = { 'x-api-key': planted['RAGMESH_BOOTSTRAP_KEY']! };
    });
    afterAll(async () => {
      await mesh?.close();
      await reports?.close();
    });

    async function hear(...call: Parameters<ApiClient['call']>): Promise<number> {
      const { status, body } = await mesh.api.call(...call);
      heard.push(JSON.stringify(body));
      return status;
    }

    it('are in no answer', async () => {
      expect(await hear('POST', '/v1/documents', { text: 'Nobody keeps this.' }, credential)).toBeGreaterThan(400);
      await hear('POST', '/v1/search', { query: 'what' }, credential);
      await hear('POST', '/v1/query', { query: 'what' }, credential);
      await hear('POST', '/v1/embeddings', { input: 'what', model: 'm' }, credential);
      await hear('POST', '/v1/admin/models/load', { model: 'somebody/private' }, credential);
      await hear('POST', '/v1/documents', { [credential['x-api-key']!]: 1 }, { 'x-api-key': `rgm_other_${MARKER}` });
      await hear('GET', '/v1/documents', undefined, { authorization: `Bearer ${MARKER}.${MARKER}.x` });
      for (const path of ['/v1/admin/breakers', '/v1/admin/dead-letters', '/openapi.json', '/metrics'])
        expect(await hear('GET', path, undefined, credential)).toBe(200);
      expect(heard.filter((body) => body.includes(MARKER))).toEqual([]);
    });

    it('are left out of the settings, which tell everything else and where it came from', async () => {
      const { status, body } = await mesh.api.call('GET', '/v1/admin/settings', undefined, credential);
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toContain(MARKER);
      const settings = body['data'] as { service: string; name: string }[];
      const named = (service: string, name: string) => settings.find((s) => s.service === service && s.name === name);
      expect(named('vector', 'QDRANT_API_KEY')).toMatchObject({ value: null, set: true, secret: true, source: 'env' });
      expect(named('vector', 'VECTOR_STORE')).toMatchObject({ value: 'qdrant', set: true, source: 'env' });
      expect(named('gateway', 'LOG_LEVEL')).toMatchObject({ value: 'trace', source: 'env' });
      expect(named('document', 'CHUNK_SIZE')).toMatchObject({ value: '200', source: 'default', secret: false });
      expect(new Set(settings.map(({ service }) => service)).size).toBe(8);
      expect(body['unavailable']).toEqual([]);
    });

    it('are in no report of an error that nobody foresaw, which reaches the server that SENTRY_DSN names', async () => {
      const database = mesh.drivers.openDatabase('knowledge');
      try {
        await database.query('ALTER TABLE collection RENAME TO collection_away');
        expect(await hear('GET', '/v1/collections', undefined, credential)).toBe(500);
      } finally {
        await database.query('ALTER TABLE IF EXISTS collection_away RENAME TO collection');
        await database.close();
      }
      const report = await reports.about('/ragmesh.knowledge.v1.KnowledgeService/ListCollections');
      expect(report).toContain('"service":"knowledge"');
      expect(report).not.toContain(MARKER);
    });

    it('are in no line of the log, which tells of the failures', () => {
      const log = readFileSync(join(dataDir, 'ragmesh.log'), 'utf8');
      expect(log).toMatch(/"level":"(warn|error)"/);
      expect(log.split('\n').filter((line) => line.includes(MARKER))).toEqual([]);
    });
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return String((error as Error).stack);
  }
}
