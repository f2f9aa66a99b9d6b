import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { EdgeDrain } from '../src/edge-drain.js';

const DEADLINE_MS = 20_000;

@Module({})
class Empty {}

describe('an edge that goes out of service', () => {
  let app: NestFastifyApplication;
  let drain: EdgeDrain;
  let answer: PromiseWithResolvers<string>;
  let client: Socket;
  beforeEach(async () => {
    app = await NestFactory.create<NestFastifyApplication>(Empty, new FastifyAdapter(), { logger: false });
    drain = new EdgeDrain(app, {} as never);
    answer = Promise.withResolvers();
    app
      .getHttpAdapter()
      .getInstance()
      .get('/slow', () => answer.promise);
    await app.listen(0, '127.0.0.1');
    client = connect((app.getHttpServer().address() as AddressInfo).port, '127.0.0.1');
    await once(client, 'connect');
  });
  afterEach(() => void client.destroy());

  it('does not wait for a connection on which nobody asked anything', async () => {
    const began = performance.now();
    await drain.finish(DEADLINE_MS);
    expect(performance.now() - began).toBeLessThan(DEADLINE_MS / 2);
  });

  it('waits for the answer to a request that is under way', async () => {
    const [received, asked] = [once(client, 'data'), once(app.getHttpServer(), 'request')];
    client.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await asked;
    const finished = drain.finish(DEADLINE_MS);
    setTimeout(() => answer.resolve('at last'), 1_500);
    expect(String((await received)[0])).toContain('at last');
    await finished;
  });
});
