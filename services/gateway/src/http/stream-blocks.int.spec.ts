import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger } from '@ragmesh/observability';
import { fastify } from 'fastify';
import { openAiRoute } from '../openai/openai-errors.js';
import { rootQueryRoute } from '../compat/root-stream-errors.js';
import { Admission } from './admission.js';
import { failsAs, problemShape } from './error-shape.js';
import { ProblemFilter } from './problem.filter.js';
import { trackRequests } from './request-lifecycle.js';
import { RouteMethods } from './route-methods.js';
import { streamBlocks } from './stream-blocks.js';

const logger = createLogger('gateway', 'silent');
const problems = new ProblemFilter(logger, new RouteMethods());
const server = fastify({ forceCloseConnections: true });
const failure = new RagmeshError('VECTOR.UNAVAILABLE', 'The index is away.');

async function* failing(after: number): AsyncGenerator<string, void> {
  for (let sent = 0; sent < after; sent += 1) yield 'data: 1\n\n';
  throw failure;
}

beforeAll(async () => {
  trackRequests(server, new Admission({ requests: 10, streams: 10 }), logger);
  for (const [url, config] of [
    ['/openai', openAiRoute],
    ['/root', rootQueryRoute],
    ['/native', failsAs(problemShape)],
  ] as const) {
    server.get(url, { config }, async (_request, reply) => streamBlocks(failing(1), reply, problems));
  }
  server.get('/early', { config: openAiRoute }, async (_request, reply) => streamBlocks(failing(0), reply, problems));
  server.setErrorHandler((error, _request, reply) => void reply.status(503).send({ early: error === failure }));
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => server.close());

const read = (path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${(server.server.address() as AddressInfo).port}${path}`);

describe('a stream that fails', () => {
  it.each([
    [
      '/openai',
      /^data: \{"error":\{"message":"The index is away.","type":"server_error","param":null,"code":"VECTOR.UNAVAILABLE"\}\}$/,
    ],
    ['/root', /^data: \{"type":"error","message":"The index is away.","code":"VECTOR.UNAVAILABLE","retry_after":1\}$/],
    ['/native', /^event: error\ndata: \{"type":"urn:ragmesh:problem:vector:unavailable"/],
  ])('says so in the words of the route %s', async (path, last) => {
    const blocks = (await (await read(path)).text()).trim().split('\n\n');
    expect(blocks).toHaveLength(2);
    expect(blocks[0]).toBe('data: 1');
    expect(blocks[1]).toMatch(last);
  });

  it('before its first event is no stream at all', async () => {
    const response = await read('/early');
    expect([response.status, await response.json()]).toEqual([503, { early: true }]);
  });
});
