import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { documentV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import {
  CallContextInterceptor,
  RpcErrorFilter,
  createGrpcClient,
  grpcTransport,
  localAddress,
  pacedStream,
  scopeOf,
  toGrpcStatus,
  type GrpcClient,
  type IncomingCall,
  type Outlet,
  type ServerReadableStream,
  type sendUnaryData,
} from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { currentContext, inContext, useServiceKeys } from '@ragmesh/observability';
import { CallServer } from '../src/call-server.js';

const PART = new Uint8Array(64 * 1024);
/** What two sides may have on the way between them, with their buffers and the network's. */
const UNDERWAY = 100;

/** What the handlers saw. */
const seen = { cancelled: 0, sent: 0, ended: 0, received: 0, running: 0 };
let release = Promise.withResolvers<void>();

const cancelled = (call: IncomingCall): Promise<void> =>
  new Promise((resolve) =>
    scopeOf(call).signal.addEventListener('abort', () => {
      seen.cancelled += 1;
      resolve();
    }),
  );

@Controller()
class Documents {
  @GrpcMethod('DocumentService', 'GetDocument')
  async get(request: documentV1.GetDocumentRequest, _metadata: unknown, call: IncomingCall) {
    const { tenant = '', subject = '', principals = [] } = currentContext() ?? {};
    switch (request.id) {
      case 'missing':
        throw new RagmeshError('DOCUMENT.NOT_FOUND', 'There is no such document.', { id: 'missing' });
      case 'broken':
        throw new Error('Something inside');
      case 'slow':
        await cancelled(call);
        return {};
      case 'waiting':
        seen.running += 1;
        await release.promise;
        return { title: 'at last' };
      default:
        request.id = 'changed';
        return { title: [tenant, subject, ...principals].join(' '), progress: 0.1 };
    }
  }

  @GrpcMethod('DocumentService', 'GetContent')
  content({ id }: documentV1.GetContentRequest, _metadata: unknown, call: IncomingCall & Outlet) {
    return pacedStream(this.#parts(id), call);
  }

  async *#parts(id: string) {
    try {
      const count = id === 'endless' ? Infinity : 50;
      for (seen.sent = 0; seen.sent < count; seen.sent += 1) {
        if (id === 'breaking' && seen.sent === 3) throw new RagmeshError('STORAGE.UNAVAILABLE', 'The rest is away.');
        yield { data: PART };
        await new Promise(setImmediate);
      }
    } finally {
      seen.ended += 1;
    }
  }

  @GrpcStreamCall('DocumentService', 'Upload')
  async upload(
    call: ServerReadableStream<documentV1.UploadRequest, documentV1.UploadResponse>,
    respond: sendUnaryData<unknown>,
  ): Promise<void> {
    let isComplete = false;
    for await (const { part } of call as AsyncIterable<documentV1.UploadRequest>) {
      if (part.case === 'header' && part.value.title === 'refused') {
        respond(toGrpcStatus(new RagmeshError('DOCUMENT.TOO_LARGE', 'The document is too large.')));
        call.resume();
        return;
      }
      if (part.case === 'data') await release.promise;
      seen.received += 1;
      if (part.case === 'complete') isComplete = true;
    }
    seen.ended += 1;
    respond(null, { id: isComplete ? 'whole' : 'cut', version: BigInt(seen.received) });
  }
}

@Module({ controllers: [Documents] })
class Service {}

const asCaller = <T>(work: () => T): T =>
  inContext({ tenant: 'acme', subject: 'jwt:ada', requestId: 'r', principals: ['jwt:ada', 'group:legal'] }, work);

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Not within 10 s: ${what}`);
    await delay(5);
  }
}

const ways: [string, () => Promise<string>][] = [
  ['over the network', async () => `127.0.0.1:${(await freePorts(1))[0]}`],
  ['within the process', async () => localAddress(randomUUID(), 'document')],
];

describe.each(ways)('a call %s', (_, addressOf) => {
  let app: INestMicroservice;
  let server: CallServer;
  let client: GrpcClient<typeof documentV1.DocumentService>;
  beforeAll(() => useServiceKeys(['a-key-of-all-services-of-this-mesh']));
  beforeEach(async () => {
    Object.assign(seen, { cancelled: 0, sent: 0, ended: 0, received: 0, running: 0 });
    release = Promise.withResolvers();
    const address = await addressOf();
    server = new CallServer(grpcTransport([documentV1.DocumentService], address, 'document'));
    app = await NestFactory.createMicroservice(Service, { strategy: server, logger: false });
    app.useGlobalFilters(new RpcErrorFilter('document')).useGlobalInterceptors(new CallContextInterceptor());
    await app.listen();
    client = createGrpcClient(documentV1.DocumentService, address);
  });
  afterEach(async () => {
    release.resolve();
    client.close();
    await app.close();
  });

  it('is answered for whom it was made, and leaves the request as it was', async () => {
    const request = { id: 'known' };
    const { title, progress } = await asCaller(() => client.getDocument(request));
    expect([title, progress]).toEqual(['acme jwt:ada jwt:ada group:legal', 0.1]);
    expect(request).toEqual({ id: 'known' });
  });

  it('is for nobody unless it says for whom', async () => {
    await expect(client.getDocument({ id: 'known' })).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
  });

  it('fails as its handler does, and tells nothing of what was not meant to be told', async () => {
    const refusal = { code: 'DOCUMENT.NOT_FOUND', details: { id: 'missing' }, message: 'There is no such document.' };
    await expect(asCaller(() => client.getDocument({ id: 'missing' }))).rejects.toMatchObject(refusal);
    const failure = await asCaller(() => client.getDocument({ id: 'broken' })).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'INTERNAL.UNEXPECTED' });
    expect(JSON.stringify(failure)).not.toContain('Something inside');
  });

  it('is over at its deadline, and when its caller leaves, for both sides', async () => {
    const late = asCaller(() => client.getDocument({ id: 'slow' }, { deadlineMs: 50 }));
    await expect(late).rejects.toMatchObject({ code: 'REQUEST.TIMEOUT' });
    await until('the handler learns of the deadline', () => seen.cancelled === 1);
    const leaving = new AbortController();
    const left = asCaller(() => client.getDocument({ id: 'slow' }, { signal: leaving.signal }));
    setTimeout(() => leaving.abort(), 20);
    await expect(left).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await until('the handler learns that the caller left', () => seen.cancelled === 2);
    const gone = { signal: AbortSignal.abort() };
    await expect(asCaller(() => client.getDocument({ id: 'known' }, gone))).rejects.toMatchObject({
      code: 'REQUEST.CANCELLED',
    });
  });

  it('gives many messages, all of them, also before a failure', async () => {
    let count = 0;
    await asCaller(async () => {
      for await (const { data } of client.getContent({ id: 'whole' })) {
        expect(data).toHaveLength(PART.length);
        count += 1;
      }
    });
    expect(count).toBe(50);
    count = 0;
    const breaking = async (): Promise<void> => {
      for await (const _part of client.getContent({ id: 'breaking' })) count += 1;
    };
    await expect(asCaller(breaking)).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    expect(count).toBe(3);
  });

  it('gives them at the pace of its reader, and no more to one who left', async () => {
    const reading = client.getContent({ id: 'endless' })[Symbol.asyncIterator]();
    await asCaller(() => reading.next());
    let before = -1;
    while (seen.sent > before) {
      before = seen.sent;
      await delay(100);
    }
    expect(seen.sent).toBeLessThan(UNDERWAY);
    for (let more = 0; more < 2 * UNDERWAY; more += 1) await reading.next();
    expect(seen.sent).toBeGreaterThanOrEqual(2 * UNDERWAY);
    await reading.return?.();
    await until('the source has ended', () => seen.ended === 1);
  });

  it('takes many messages at the pace of who reads them', async () => {
    let made = 0;
    async function* requests() {
      yield { part: { case: 'header' as const, value: { title: 'a' } } };
      for (; made < 4 * UNDERWAY; made += 1) yield { part: { case: 'data' as const, value: PART } };
      yield { part: { case: 'complete' as const, value: true } };
    }
    const answer = asCaller(() => client.upload(requests()));
    let before = -1;
    while (made > before) {
      before = made;
      await delay(100);
    }
    expect(made).toBeLessThan(UNDERWAY);
    release.resolve();
    expect(await answer).toMatchObject({ id: 'whole', version: BigInt(4 * UNDERWAY + 2) });
  });

  it('may be answered before all was sent, and is cut when its sender fails', async () => {
    async function* endless() {
      yield { part: { case: 'header' as const, value: { title: 'refused' } } };
      for (;;) yield { part: { case: 'data' as const, value: PART } };
    }
    await expect(asCaller(() => client.upload(endless()))).rejects.toMatchObject({ code: 'DOCUMENT.TOO_LARGE' });
    release.resolve();
    async function* failing() {
      yield { part: { case: 'data' as const, value: PART } };
      throw new Error('The file cannot be read');
    }
    await expect(asCaller(() => client.upload(failing()))).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await until('the handler learns that it was cut', () => seen.ended === 1);
  });

  it('is finished while the service goes out of service, and no other is begun', async () => {
    const running = asCaller(() => client.getDocument({ id: 'waiting' }));
    await until('it runs', () => seen.running === 1);
    const drained = server.drain(10_000);
    const refused = asCaller(() => client.getDocument({ id: 'known' }));
    await expect(refused).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    release.resolve();
    expect(await running).toMatchObject({ title: 'at last' });
    await drained;
  });

  it('is broken off when it takes longer than the service may', async () => {
    const running = asCaller(() => client.getDocument({ id: 'waiting' }));
    const outcome = expect(running).rejects.toMatchObject({
      code: expect.stringMatching(/^(REQUEST.CANCELLED|DEPENDENCY.UNAVAILABLE)$/),
    });
    await until('it runs', () => seen.running === 1);
    await server.drain(50);
    await outcome;
  });
});
