import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { documentV1 } from '@ragmesh/contracts';
import { inContext } from '@ragmesh/observability';
import { breakersOf } from '@ragmesh/resilience';
import { eventually, withinAttempts } from '@ragmesh/testing';
import type { GrpcClient } from './grpc-client.js';
import { GrpcClients } from './grpc-clients.js';
import { GuardedClients } from './guarded-clients.js';
import { LocalServer, localAddress } from './in-process/local-server.js';

/** More than are made before nobody asks any more. */
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
  let guarded: GuardedClients;
  let client: GrpcClient<typeof documentV1.DocumentService>;
  beforeEach(() => {
    const address = localAddress('guarded', 'document');
    server = new LocalServer(address);
    guarded = new GuardedClients(new GrpcClients(() => address), 'guarded-spec');
    client = guarded.of(documentV1.DocumentService);
  });
  afterEach(() => {
    guarded.close();
    server.forceShutdown();
  });

  const shown = (): string[] => breakersOf('guarded-spec').map(({ name, state }) => `${name} ${state}`);
  const failureOf = (id: string): Promise<unknown> =>
    asCaller(() => client.getDocument({ id })).catch((error: unknown) => error);
  const codesOf = async (id: string): Promise<unknown[]> => {
    const codes: unknown[] = [];
    for (let call = 0; call < CALLS; call += 1) codes.push(((await failureOf(id)) as { code?: unknown }).code);
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
    expect(shown()).toEqual(['document closed']);
    expect(await asCaller(() => client.getDocument({ id: 'known' }))).toMatchObject({ title: 'small' });
  });

  it('is asked no more once it gives no answers, by any of its clients, and callers are told to come again', async () => {
    let asked = 0;
    answering((_id, respond) => {
      asked += 1;
      respond({ code: UNAVAILABLE });
    });
    const insist = async () => {
      expect(await codesOf('known')).toEqual(Array(CALLS).fill('DEPENDENCY.UNAVAILABLE'));
      const [states, before] = [shown(), asked];
      client = guarded.of(documentV1.DocumentService);
      return { states, failure: await failureOf('known'), more: asked - before };
    };
    // It may be asked again within a second.
    const { states, failure, more } = await withinAttempts(3, insist, (attempt) => attempt.more === 0);
    expect(states).toEqual(['document open']);
    expect(failure).toMatchObject({ retry: 'transient', details: { retryAfter: 1 } });
    expect(more).toBe(0);
  });

  it('is asked by others again soon after it came back, though the first call to it then takes its time', async () => {
    let isDown = true;
    answering((id, respond) => {
      if (isDown) respond({ code: UNAVAILABLE });
      else if (id !== 'slow') respond(null, { title: 'here' });
    });
    await codesOf('known');
    isDown = false;
    await eventually('it may be tried again', () => shown().includes('document half-open'));
    const caller = new AbortController();
    const slow = asCaller(() => client.getDocument({ id: 'slow' }, { signal: caller.signal })).catch(() => undefined);
    expect(await failureOf('known')).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    const back = performance.now();
    await eventually('others are answered', async () => !((await failureOf('known')) instanceof Error));
    expect(performance.now() - back).toBeLessThan(5_000);
    expect(shown()).toEqual(['document closed']);
    caller.abort();
    await slow;
  });

  it('is seen by the operators before the first call, and no more once its caller ended', () => {
    expect(shown()).toEqual(['document closed']);
    guarded.close();
    expect(shown()).toEqual([]);
  });
});
