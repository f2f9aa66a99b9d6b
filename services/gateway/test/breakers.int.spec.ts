import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone()));
afterAll(() => edge.close());

interface Breakers {
  readonly data: { readonly service: string; readonly dependency: string; readonly state: string }[];
  readonly unavailable: string[];
}

const breakers = async (): Promise<Breakers> =>
  (await (await fetch(`${edge.url}/v1/admin/breakers`)).json()) as Breakers;
const stateOf = async (dependency: string): Promise<string | undefined> =>
  (await breakers()).data.find((breaker) => breaker.dependency === dependency)?.state;

describe('a service that does not answer', () => {
  it('opens its breaker and no other; calls are then refused at once, with the time to come again', async () => {
    expect(await breakers()).toMatchObject({
      data: ['document', 'embedding', 'generation', 'knowledge', 'model', 'retrieval'].map((dependency) => ({
        service: 'gateway',
        dependency,
      })),
      unavailable: expect.arrayContaining(['document', 'vector']),
    });
    await eventually('the breaker opens', async () => {
      expect((await fetch(`${edge.url}/v1/documents/a`)).status).toBe(503);
      return (await stateOf('document')) !== 'closed';
    });
    expect(await stateOf('knowledge')).toBe('closed');
    const refused = await fetch(`${edge.url}/v1/documents/a`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE', retryable: true });
    const metrics = await (await fetch(`${edge.url}/metrics`)).text();
    expect(metrics).toMatch(/ragmesh_breaker_state\{service="gateway",dependency="document"\} [12]/);
  });

  it('is tried again after a while', async () => {
    await eventually('the breaker lets one call in', async () => (await stateOf('document')) === 'half-open');
  });

  it('is not to blame for a request that is', async () => {
    for (let call = 0; call < 20; call += 1) await fetch(`${edge.url}/v1/collections/${'x'.repeat(300)}`);
    expect(await stateOf('knowledge')).toBe('closed');
  });
});
