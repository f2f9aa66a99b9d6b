import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { documentV1 } from '@ragmesh/contracts';
import { LocalServer, createGrpcClient, localAddress, type GrpcClient } from '@ragmesh/grpc';
import { inContext } from '@ragmesh/observability';
import type { CircuitBreaker } from '@ragmesh/resilience';
import { edgeBreaker, guardedClient } from './guarded-client.js';

/** More than the edge takes before it stops to ask. */
const CALLS = 6;
const LARGE = 'x'.repeat(17 * 1024 * 1024);
/** The status of a call that nobody answers. */
const UNAVAILABLE = 14;
const path = '/ragmesh.document.v1.DocumentService/GetDocument';

type Respond = Parameters<Parameters<LocalServer['addService']>[1][string]>[1];

const asCaller = <T>(work: () => T): T =>
  inContext({ tenant: 'acme', subject: 'jwt:ada', requestId: 'r', principals: [] }, work);

describe('a service behind a breaker', () => {
  let server: LocalServer;
  let breaker: CircuitBreaker;
  let client: GrpcClient<typeof documentV1.DocumentService>;
  beforeEach(() => {
    const address = localAddress('guarded', 'document');
    server = new LocalServer(address);
    breaker = edgeBreaker('document');
    client = guardedClient(documentV1.DocumentService, createGrpcClient(documentV1.DocumentService, address), breaker);
  });
  afterEach(() => {
    breaker.shutdown();
    server.forceShutdown();
  });

  const codesOf = async (id: string): Promise<unknown[]> => {
    const codes: unknown[] = [];
    for (let call = 0; call < CALLS; call += 1) {
      const failure = await asCaller(() => client.getDocument({ id })).catch((error: unknown) => error);
      codes.push((failure as { code?: unknown }).code);
    }
    return codes;
  };

  const answering = (answer: (id: unknown, respond: Respond) => void): void =>
    server.addService(
      { get: { path } },
      { get: ({ request }, respond) => answer((request as { id?: unknown } | undefined)?.id, respond) },
    );

  it('is asked on by everybody after messages that are too large to be carried', async () => {
    answering((id, respond) => respond(null, { title: id === 'large' ? LARGE : 'small' }));
    expect(await codesOf('large')).toEqual(Array(CALLS).fill('DEPENDENCY.MESSAGE_TOO_LARGE'));
    expect(await codesOf(LARGE)).toEqual(Array(CALLS).fill('DEPENDENCY.MESSAGE_TOO_LARGE'));
    expect(breaker.state).toBe('closed');
    expect(await asCaller(() => client.getDocument({ id: 'known' }))).toMatchObject({ title: 'small' });
  });

  it('is asked no more once it gives no answers', async () => {
    answering((_id, respond) => respond({ code: UNAVAILABLE }));
    expect(await codesOf('known')).toEqual(Array(CALLS).fill('DEPENDENCY.UNAVAILABLE'));
    expect(breaker.state).toBe('open');
  });
});
