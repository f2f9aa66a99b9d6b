import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger, startErrorReports } from '@ragmesh/observability';
import { fastify, type FastifyInstance } from 'fastify';
import { ProblemFilter } from '../src/http/problem.filter.js';
import { RouteMethods } from '../src/http/route-methods.js';

const reports: string[] = [];
const collector = createServer((request, response) => {
  let body = '';
  request.on('data', (piece) => (body += String(piece)));
  request.on('end', () => {
    reports.push(body);
    response.end('{}');
  });
});
let edge: FastifyInstance;
let stopReports: () => Promise<void>;

beforeAll(async () => {
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  stopReports = await startErrorReports(`http://key@127.0.0.1:${(collector.address() as AddressInfo).port}/1`, 'edge');
  edge = fastify();
  const filter = new ProblemFilter(createLogger('gateway', 'silent'), new RouteMethods());
  edge.setErrorHandler((error, request, reply) => {
    const problem = filter.describe(error, request);
    return reply.status(problem.status).send(problem);
  });
  edge.post('/v1/search/:collection', ({ body }) => {
    throw new TypeError(`cannot read ${JSON.stringify(body)}`);
  });
});
afterAll(async () => {
  await edge.close();
  await new Promise((resolve) => collector.close(resolve));
});

describe('a request that fails unexpectedly', () => {
  it('is reported by route and class, without what the request held', async () => {
    const response = await edge.inject({
      method: 'POST',
      url: '/v1/search/planted-id?token=planted-query',
      headers: { authorization: 'Bearer planted-key', cookie: 'planted-cookie' },
      payload: { query: 'planted words' },
    });
    expect(response.statusCode).toBe(500);
    await stopReports();
    expect(reports).toHaveLength(1);
    expect(reports[0]).not.toContain('planted');
    const event = JSON.parse(reports[0]!.split('\n')[2]!) as object;
    const request_id = response.json<{ request_id: string }>().request_id;
    expect(event).toMatchObject({
      tags: { service: 'gateway', where: '/v1/search/:collection', request_id },
      exception: { values: [{ type: 'TypeError' }] },
    });
  });
});
