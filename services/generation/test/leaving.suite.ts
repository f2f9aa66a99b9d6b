import { expect, it } from '@jest/globals';
import { generationV1 } from '@ragmesh/contracts';
import type { GrpcClient } from '@ragmesh/grpc';
import { eventually, withinAttempts } from '@ragmesh/testing';
import type { GenerationRig } from './generation-rig.js';
import { endless, heldBack, silent, type Behaviour, type ScriptedUpstream } from './scripted-upstream.js';

interface Answering {
  readonly rig: GenerationRig;
  readonly upstream: ScriptedUpstream;
  readonly client: GrpcClient<typeof generationV1.GenerationService>;
}

/** What a provider notices of a client that leaves, or reads slowly. */
export function describeLeaving(of: () => Answering): void {
  const text = 'Peat bogs cover three percent of the land.';
  const source = { id: 'd:1:0', documentId: 'd', version: 1n, score: 1, text, start: 0, end: text.length };
  const asked = { question: 'How much land do peat bogs cover?', sources: [source] };

  /** @returns after how many milliseconds the provider was hung up on, once its caller had left. */
  const leave = async (behaviour: Behaviour): Promise<number> => {
    const { rig, upstream, client } = of();
    upstream.plays(behaviour);
    const caller = new AbortController();
    const reading = rig.as('acme', async () => {
      for await (const _ of client.generate(asked, { signal: caller.signal }));
    });
    reading.catch(() => undefined);
    await eventually('the provider is asked', () => upstream.seen.length > 0);
    const started = performance.now();
    caller.abort();
    await upstream.seen[0]!.closed;
    const tookMs = performance.now() - started;
    await expect(reading).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    expect(upstream.seen).toHaveLength(1);
    return tookMs;
  };

  it('hangs up on the provider within a second after the client went away, before and within an answer', async () => {
    for (const behaviour of [silent(), silent('It is ')]) {
      const fastest = await withinAttempts(
        3,
        () => leave(behaviour),
        (tookMs) => tookMs < 1_000,
      );
      expect(fastest).toBeLessThan(1_000);
    }
  });

  it('holds a provider back that writes faster than the client reads', async () => {
    const { rig, upstream, client } = of();
    const flood = endless();
    upstream.plays(flood);
    await rig.as('acme', async () => {
      const events = client.generate(asked)[Symbol.asyncIterator]();
      await events.next();
      await heldBack(flood);
      expect(flood.written()).toBeLessThan(16 * 1024 * 1024);
      await events.next();
      await events.return!();
    });
    await upstream.seen[0]!.closed;
  });
}
