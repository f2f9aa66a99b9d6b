import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import { reportUnexpected } from './error-reports.js';
import { inContext } from './request-context.js';
import { startErrorReports } from './sentry-reporter.js';

interface Sent {
  readonly path: string;
  readonly headers: string;
  readonly body: string;
}

const secrets = [
  'rgm_id_planted',
  'the text of a document',
  '?token=planted',
  'Bearer planted',
  'postgres://u:planted@db',
];
const sent: Sent[] = [];
const server = createServer((request, response) => {
  void read(request).then((body) => {
    sent.push({ path: request.url ?? '', headers: JSON.stringify(request.headers), body });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
});
let dsn: string;
let stop: () => Promise<void>;

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of request) body += String(piece);
  return body;
}

/** Reports, and waits until what was reported has left. */
async function report(...errors: unknown[]): Promise<void> {
  stop = await startErrorReports(dsn, 'vector');
  const context = { requestId: 'request-1', tenant: 'acme', subject: 'rgm_id_planted' };
  inContext(context, () => {
    for (const error of errors) reportUnexpected(error, { service: 'vector', where: 'vector.index-chunks' });
  });
  await stop();
}

/** The events of the envelopes: each is lines of headers and payloads. */
const events = (): Record<string, unknown>[] =>
  sent.map(({ body }) => JSON.parse(body.split('\n')[2]!) as Record<string, unknown>);

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  dsn = `http://publickey@127.0.0.1:${(server.address() as AddressInfo).port}/7`;
});
beforeEach(() => void sent.splice(0));
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('reports of unexpected errors', () => {
  it('tell what failed and where, with the ids that lead to the logs', async () => {
    await report(new TypeError('undefined is not a function'));
    expect(sent).toHaveLength(1);
    expect(sent[0]!.path).toMatch(/^\/api\/7\/envelope\//);
    expect(events()[0]).toMatchObject({
      level: 'error',
      tags: { service: 'vector', where: 'vector.index-chunks', request_id: 'request-1', code: 'INTERNAL.UNEXPECTED' },
      exception: { values: [{ type: 'TypeError', value: 'Unexpected TypeError in vector.index-chunks' }] },
    });
    const frames = JSON.stringify(events()[0]);
    expect(frames).toContain('libs/observability/src/sentry-reporter.int.spec.ts');
    expect(frames).not.toContain(process.cwd());
  });

  it('hold nothing of what an error carries beside its class', async () => {
    const error = Object.assign(new SyntaxError(`${secrets.join('\n')}\n    at ${secrets[1]} (/libs/planted.ts:1:1)`), {
      code: '23505',
      detail: secrets[1],
      request: { headers: { authorization: secrets[3] }, url: `/v1/search${secrets[2]}` },
      config: secrets[4],
      cause: new Error(secrets[0]),
    });
    await report(asRagmeshError(error), secrets[1]);
    expect(sent).toHaveLength(2);
    const everything = JSON.stringify(sent);
    for (const secret of [...secrets, 'planted']) expect(everything).not.toContain(secret);
    expect(everything).toContain('23505');
    expect(everything).toContain('sentry-reporter.int.spec.ts');
    expect(Object.keys(events()[0]!).toSorted()).toEqual(
      ['event_id', 'exception', 'fingerprint', 'level', 'platform', 'tags', 'timestamp'].toSorted(),
    );
  });

  it('leave out what is expected, and what another service told of already', async () => {
    await report(
      new RagmeshError('DOCUMENT.NOT_FOUND', 'There is no such document.'),
      new RagmeshError('INTERNAL.UNEXPECTED', 'Something unexpected went wrong on our side.'),
    );
    expect(sent).toEqual([]);
  });

  it('do not flood the server', async () => {
    await report(...Array.from({ length: 200 }, () => new TypeError('again')));
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThanOrEqual(30);
  });

  it('fail silently: without a server, and after the end', async () => {
    const running = dsn;
    dsn = 'http://publickey@127.0.0.1:9/7';
    await report(new TypeError('nobody hears'));
    dsn = running;
    reportUnexpected(new TypeError('too late'), { service: 'vector', where: 'vector.index-chunks' });
    expect(sent).toEqual([]);
  });
});
