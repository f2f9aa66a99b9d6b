import { request, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger } from '@ragmesh/observability';
import type { FastifyReply } from 'fastify';
import { ProblemFilter } from './problem.filter.js';
import { RouteMethods } from './route-methods.js';

@Module({})
class Empty {}

describe('a problem answered while the edge goes out of service', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(Empty, new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(new ProblemFilter(createLogger('gateway', 'error'), new RouteMethods()));
    const refuse = (_request: unknown, reply: FastifyReply, done: (error: Error) => void): void => {
      void reply.header('connection', 'close'); // as an edge does that goes out of service
      done(new RagmeshError('REQUEST.NOT_FOUND', 'This server has no such route.'));
    };
    app.getHttpAdapter().getInstance().addHook('onRequest', refuse);
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  const connectionOf = (method: string, headers: OutgoingHttpHeaders): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const { port } = app.getHttpServer().address() as AddressInfo;
      const asked = request({ port, host: '127.0.0.1', path: '/nowhere', method, headers }, (answer) => {
        resolve(answer.headers.connection);
        asked.destroy();
      });
      asked.on('error', reject).flushHeaders();
      if (method === 'GET') asked.end();
    });

  it('tells its client to leave', async () =>
    expect(await connectionOf('GET', { connection: 'keep-alive' })).toBe('close'));

  it('stays with a client that still sends, so that it can read why', async () =>
    expect(await connectionOf('POST', { connection: 'keep-alive', 'content-length': 1_000 })).not.toBe('close'));
});
