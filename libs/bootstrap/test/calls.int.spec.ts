import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { runInThisContext } from 'node:vm';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestMicroservice } from '@nestjs/common';
import { documentV1 } from '@ragmesh/contracts';
import { createGrpcClient, localAddress, type GrpcClient } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { inContext, useServiceKeys } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import type { CallServer } from '../src/call-server.js';
import { PART, TOO_LARGE, begin, gate, seen, serveDocuments } from './calls-documents.js';

/** What two sides may have on the way between them, with their buffers and the network's. */
const UNDERWAY = 100;
/** The length of the id that makes a request as large as a message may be. */
const LONGEST_ID = 16 * 1024 * 1024 - 5;

/** The one that Node warns through; Jest gives suites a copy. */
const realProcess = runInThisContext('process') as NodeJS.Process;

const asCaller = <T>(work: () => T): T =>
  inContext({ tenant: 'acme', subject: 'jwt:ada', requestId: 'r', principals: ['jwt:ada', 'group:legal'] }, work);

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
    begin();
    const address = await addressOf();
    ({ app, server } = await serveDocuments(address));
    client = createGrpcClient(documentV1.DocumentService, address);
  });
  afterEach(async () => {
    gate.resolve();
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
    await asCaller(() => client.getDocument({ id: 'known' })); // so that the time is the call's, not the connection's
    const late = asCaller(() => client.getDocument({ id: 'slow' }, { deadlineMs: 1_000 }));
    await expect(late).rejects.toMatchObject({ code: 'REQUEST.TIMEOUT' });
    await eventually('the handler learns of the deadline', () => seen.cancelled === 1);
    const leaving = new AbortController();
    const left = asCaller(() => client.getDocument({ id: 'slow' }, { signal: leaving.signal }));
    left.catch(() => undefined);
    await eventually('the handler is asked', () => seen.asked === 3);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await eventually('the handler learns that the caller left', () => seen.cancelled === 2);
    const leavingToo = new AbortController();
    const reading = asCaller(async () => {
      for await (const _part of client.getContent({ id: 'endless' }, { signal: leavingToo.signal })) leavingToo.abort();
    });
    await expect(reading).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await eventually('the source has ended', () => seen.ended === 1);
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
    await eventually('the source has ended', () => seen.ended === 1);
  });

  it('takes many messages at the pace of who reads them', async () => {
    const warnings: string[] = [];
    const warned = ({ message }: Error): void => void warnings.push(message);
    realProcess.on('warning', warned);
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
    gate.resolve();
    expect(await answer).toMatchObject({ id: 'whole', version: BigInt(4 * UNDERWAY + 2) });
    realProcess.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  it('may be answered before all was sent, and is cut when its sender fails', async () => {
    async function* endless() {
      yield { part: { case: 'header' as const, value: { title: 'refused' } } };
      for (;;) yield { part: { case: 'data' as const, value: PART } };
    }
    await expect(asCaller(() => client.upload(endless()))).rejects.toMatchObject({ code: 'DOCUMENT.TOO_LARGE' });
    gate.resolve();
    async function* failing() {
      yield { part: { case: 'data' as const, value: PART } };
      throw new Error('The file cannot be read');
    }
    await expect(asCaller(() => client.upload(failing()))).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await eventually('the handler learns that it was cut', () => seen.ended === 2);
  });

  it('is finished while the service goes out of service, and no other is begun', async () => {
    const running = asCaller(() => client.getDocument({ id: 'waiting' }));
    await eventually('it runs', () => seen.running === 1);
    const drained = server.drain(60_000);
    const refused = asCaller(() => client.getDocument({ id: 'known' }));
    await expect(refused).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    gate.resolve();
    expect(await running).toMatchObject({ title: 'at last' });
    await drained;
  });

  it('is broken off when it takes longer than the service may, through no fault of its caller', async () => {
    async function* endless() {
      for (;;) yield { part: { case: 'data' as const, value: PART } };
    }
    let read = 0;
    const waiting = asCaller(() => client.getDocument({ id: 'waiting' }));
    const sending = asCaller(() => client.upload(endless()));
    const reading = asCaller(async () => {
      for await (const _part of client.getContent({ id: 'endless' })) read += 1;
    });
    const outcomes = Promise.allSettled([waiting, sending, reading]);
    await eventually('all run', () => seen.running === 1 && seen.sending === 1 && read > 0);
    await server.drain(50);
    const unavailable = { code: 'DEPENDENCY.UNAVAILABLE', details: { service: 'document' } };
    expect(await outcomes).toMatchObject(Array(3).fill({ reason: unavailable }));
    gate.resolve();
    await eventually('both handlers of streams have ended', () => seen.ended === 2);
  });

  it('carries no message above the limit: it fails for good, and the other side sees nothing of it', async () => {
    const tooLarge = { code: 'DEPENDENCY.MESSAGE_TOO_LARGE', retry: 'permanent', details: { service: 'document' } };
    await asCaller(() => client.getDocument({ id: 'x'.repeat(LONGEST_ID) }));
    const asking = asCaller(() => client.getDocument({ id: 'x'.repeat(LONGEST_ID + 1) }));
    await expect(asking).rejects.toMatchObject(tooLarge);
    const reading = client.getContent({ id: 'x'.repeat(TOO_LARGE) })[Symbol.asyncIterator]();
    await expect(asCaller(() => reading.next())).rejects.toMatchObject(tooLarge);
    async function* swelling() {
      yield { part: { case: 'header' as const, value: { title: 'a' } } };
      await eventually('the first has come', () => seen.received === 1);
      yield { part: { case: 'data' as const, value: new Uint8Array(TOO_LARGE) } };
    }
    await expect(asCaller(() => client.upload(swelling()))).rejects.toMatchObject(tooLarge);
    gate.resolve();
    await eventually('the handler learns that it was cut', () => seen.ended === 1);
    expect(seen).toMatchObject({ asked: 1, sent: 0, received: 1 });
  });

  it('carries no answer above the limit, but what came before it, and the next one', async () => {
    const tooLarge = { code: 'DEPENDENCY.MESSAGE_TOO_LARGE', retry: 'permanent', details: { service: 'document' } };
    await expect(asCaller(() => client.getDocument({ id: 'large' }))).rejects.toMatchObject(tooLarge);
    let count = 0;
    const reading = asCaller(async () => {
      for await (const { data } of client.getContent({ id: 'swelling' })) count += Number(data.length === PART.length);
    });
    await expect(reading).rejects.toMatchObject(tooLarge);
    expect(count).toBe(3);
    await eventually('the source has ended', () => seen.ended === 1);
    expect(await asCaller(() => client.getDocument({ id: 'known' }))).toMatchObject({ progress: 0.1 });
  });
});

describe.each(ways)('a call of a service that is away, %s', (_, addressOf) => {
  let client: GrpcClient<typeof documentV1.DocumentService>;
  beforeAll(() => useServiceKeys(['a-key-of-all-services-of-this-mesh']));
  beforeEach(async () => void (client = createGrpcClient(documentV1.DocumentService, await addressOf())));
  afterEach(() => client.close());

  /** Less than a call waits for a service to come back, if it may. */
  const soon = (): Promise<string> => delay(200, 'not yet');
  const outcome = (call: Promise<unknown>): Promise<unknown> =>
    Promise.race([call.catch(({ code }: { code: string }) => code), soon()]);

  it('takes no longer than its caller has, and no longer than its caller stays', async () => {
    const late = asCaller(() => client.getDocument({ id: 'known' }, { deadlineMs: 20 }));
    expect(await outcome(late)).toMatch(/^(REQUEST.TIMEOUT|DEPENDENCY.UNAVAILABLE)$/);
    const leaving = new AbortController();
    setTimeout(() => leaving.abort(), 20);
    const left = asCaller(() => client.getDocument({ id: 'known' }, { signal: leaving.signal }));
    expect(await outcome(left)).toBe('REQUEST.CANCELLED');
  });
});
