import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { messagingV1 } from '@ragmesh/contracts';
import { createGrpcClient } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { inContext, useServiceKeys } from '@ragmesh/observability';
import { createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { ApiClient } from '../../standalone/test/api-client.js';
import { newDataDir, removeDataDir } from './data-dir.js';
import { BareMesh } from './bare-mesh.js';
import { ErrorReportReceiver } from './error-report-receiver.js';
import { ServiceCopy } from './service-copy.js';

/** With OpenMetrics, which has exemplars, before plain text, which has none. */
const PROMETHEUS_ACCEPTS = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

let dataDir: string;
let mesh: BareMesh;
const started: ServiceCopy[] = [];
beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await BareMesh.open(dataDir, { SHUTDOWN_GRACE_SECONDS: '0', SHUTDOWN_DEADLINE_SECONDS: '1' });
});
afterEach(async () => {
  for (const copy of started.splice(0)) {
    copy.signal('SIGKILL');
    await copy.ended();
  }
});
afterAll(async () => {
  await mesh.close();
  await removeDataDir(dataDir);
});

function spawn(...args: Parameters<typeof ServiceCopy.spawn>): ServiceCopy {
  const copy = ServiceCopy.spawn(...args);
  started.push(copy);
  return copy;
}

/** Status of a probe; undefined while nothing listens yet. */
async function probe({ probeUrl }: ServiceCopy, path: string): Promise<number | undefined> {
  const answer = await fetch(probeUrl + path).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status;
}

/** Fails in a way that nobody foresaw: the table that the call reads is away. */
async function callWithoutTable({ environment }: ServiceCopy): Promise<void> {
  const pool = createPool(mesh.databaseUrl.replace('/?', '/ragmesh_generation?'), { max: 1 });
  await pool.query('ALTER TABLE dead_letter RENAME TO dead_letter_away').finally(() => pool.end());
  useServiceKeys([environment['SERVICE_AUTH_KEY']!]);
  const address = `127.0.0.1:${environment['GRPC_PORT']}`;
  const client = createGrpcClient(messagingV1.DeadLetterService, address, 'generation');
  const context = { tenant: 'default', subject: 'spec', requestId: 'request-1' };
  const call = () => client.listDeadLetters({ limit: 10 }, { deadlineMs: 60_000 });
  await expect(inContext(context, call)).rejects.toMatchObject({ code: 'INTERNAL.UNEXPECTED' });
  client.close();
}

describe('a service that starts alone', () => {
  it('names every wrong variable at once and ends for good', async () => {
    const copy = spawn('vector', {
      GRPC_PORT: 'abc',
      VECTOR_STORE: 'none',
      RAGMESH_TOPIC_PREFX: 'x-',
      APP_LLM_BACKEND: 'disabled',
    });
    expect(await copy.ended()).toBe(78);
    expect(copy.said).toContain('ragmesh vector: ');
    expect(copy.said).toContain('DATABASE_URL is required');
    expect(copy.said).toContain('GRPC_PORT must be a whole number');
    expect(copy.said).toContain('VECTOR_STORE must be one of');
    expect(copy.said).toContain('RAGMESH_TOPIC_PREFX is unknown; did you mean RAGMESH_TOPIC_PREFIX?');
    expect(copy.said).not.toContain('APP_LLM_BACKEND'); // a neighbour's name is no mistake
  });

  it('is alive but not ready until its database is there', async () => {
    const [port] = await freePorts(1);
    const environment = await mesh.environment('knowledge');
    const copy = spawn('knowledge', { ...environment, DATABASE_URL: `postgresql://nobody@127.0.0.1:${port}/` });
    await eventually('it says why it waits', () => copy.said.includes('cannot start yet'));
    expect(await probe(copy, '/healthz')).toBe(200);
    expect(await probe(copy, '/readyz')).toBe(503);
    expect(await copy.stop()).toBe(0);
  });

  it('is ready without its brokers, and ends in order while it still waits for them', async () => {
    const [port] = await freePorts(1);
    const copy = await mesh.start('generation', 0, { KAFKA_BROKERS: `127.0.0.1:${port}` });
    expect(await probe(copy, '/healthz')).toBe(200);
    expect(await probe(copy, '/readyz')).toBe(200);
    expect(copy.said).not.toContain('The service takes events');
    expect(await copy.stop()).toBe(0);
  });

  it('answers its probes, logs to standard output and ends in order', async () => {
    const copy = await mesh.start('generation');
    expect(await probe(copy, '/healthz')).toBe(200);
    expect(await probe(copy, '/readyz')).toBe(200);
    expect(await (await fetch(`${copy.probeUrl}/metrics`)).text()).toContain('ragmesh_event_loop_delay_seconds');
    const scraped = await fetch(`${copy.probeUrl}/metrics`, { headers: { accept: PROMETHEUS_ACCEPTS } });
    expect(scraped.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    expect((await scraped.text()).endsWith('# EOF\n')).toBe(true);
    expect(await copy.stop()).toBe(0);
    const lines = copy.said.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { service: string }).service)).toEqual(
      lines.map(() => 'generation'),
    );
    expect(lines.at(-1)).toContain('The service has stopped');
  });

  it('tells the server that SENTRY_DSN names of an error that nobody foresaw', async () => {
    const receiver = await ErrorReportReceiver.start();
    try {
      const copy = await mesh.start('generation', 0, { SENTRY_DSN: receiver.dsn() });
      await callWithoutTable(copy);
      const report = await receiver.about('/ragmesh.messaging.v1.DeadLetterService/ListDeadLetters');
      expect(report).toMatch(/"service":"generation".*"request_id":"request-1"/);
      expect(await copy.stop()).toBe(0);
    } finally {
      await receiver.close();
    }
  });

  it('serves through its grace while it says that it is not ready, and a later SIGTERM ends it at once', async () => {
    const copy = await mesh.start('model', 0, { SHUTDOWN_GRACE_SECONDS: '300' });
    copy.signal('SIGTERM');
    copy.signal('SIGINT'); // the same wish, as a terminal and npm tell it
    await eventually('it is not ready any more', async () => (await probe(copy, '/readyz')) === 503);
    expect(await probe(copy, '/healthz')).toBe(200);
    const again = setInterval(() => copy.signal('SIGTERM'), 200);
    expect(await copy.ended()).toBe(1);
    clearInterval(again);
  });

  it('ends a stream that outlives it with an event that says "come again"', async () => {
    for (const service of ['document', 'knowledge'] as const) await mesh.start(service);
    const gateway = await mesh.start('gateway');
    const url = `http://127.0.0.1:${gateway.environment['SERVER_PORT']}`;
    const { body } = await new ApiClient(url).upload({ text: 'Nobody embeds this, so it stays in progress.' });
    const { href } = body['operation'] as { href: string };
    const stream = await fetch(`${url}${href}/events`);
    const events = stream.text();
    expect(await gateway.stop()).toBe(0);
    const last = (await events).trim().split('\n\n').at(-1)!;
    expect(last).toMatch(/^event: error\n/);
    expect(JSON.parse(last.slice(last.indexOf('{')))).toMatchObject({
      code: 'SERVER.STOPPING',
      status: 503,
      retryable: true,
      retry_after: 1,
    });
  });
});
