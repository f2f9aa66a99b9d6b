import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestMicroservice } from '@nestjs/common';
import { documentV1 } from '@ragmesh/contracts';
import { CalleeClock, createGrpcClient, type GrpcClient } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { inContext, useServiceKeys } from '@ragmesh/observability';
import { begin, gate, seen, serveDocuments } from './calls-documents.js';

const MINUTE = 60_000;

const asCaller = <T>(work: () => T): T => inContext({ tenant: 'acme', subject: 'jwt:ada', requestId: 'r' }, work);

let app: INestMicroservice;
let address: string;
let client: GrpcClient<typeof documentV1.DocumentService>;
beforeAll(() => useServiceKeys(['a-key-of-all-services-of-this-mesh']));
beforeEach(async () => {
  begin();
  gate.resolve();
  address = `127.0.0.1:${(await freePorts(1))[0]}`;
  ({ app } = await serveDocuments(address));
});
afterEach(async () => {
  client.close();
  await app.close();
});

/** A caller whose clock is so far behind that of the service. */
function callerBehind(ms: number): void {
  const clock = new CalleeClock(() => Date.now() - ms);
  client = createGrpcClient(documentV1.DocumentService, address, 'document', undefined, clock);
}

async function* parts() {
  yield { part: { case: 'complete' as const, value: true } };
}

const calls = {
  'a call': async () => expect((await client.getDocument({ id: 'known' })).progress).toBe(0.1),
  'a call that gives a stream': async () => {
    let read = 0;
    for await (const _part of client.getContent({ id: 'some' })) read += 1;
    expect(read).toBe(50);
  },
  'a call that takes a stream': async () => expect((await client.upload(parts())).id).toBe('whole'),
};

describe.each(Object.entries(calls))('%s', (_, call) => {
  it.each([0, 20 * MINUTE, -20 * MINUTE])('is taken from a caller whose clock is %i ms behind', async (behindMs) => {
    callerBehind(behindMs);
    await asCaller(call);
  });
});

it('calls that are made at the same time are all taken, though one of them learns of the clock for all', async () => {
  callerBehind(20 * MINUTE);
  const asked = Array.from({ length: 20 }, () => asCaller(() => client.getDocument({ id: 'known' })));
  expect((await Promise.all(asked)).map(({ progress }) => progress)).toEqual(asked.map(() => 0.1));
});

it('a caller whose clock is wrong by more than half an hour is refused, and tries no more often', async () => {
  callerBehind(40 * MINUTE);
  await expect(asCaller(() => client.getDocument({ id: 'known' }))).rejects.toMatchObject({
    code: 'DEPENDENCY.UNAVAILABLE',
  });
  expect(seen.asked).toBe(0);
});
