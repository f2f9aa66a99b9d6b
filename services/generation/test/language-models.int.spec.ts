import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { Deadline, breakersOf } from '@ragmesh/resilience';
import { eventually } from '@ragmesh/testing';
import type { ChatCall } from '../src/adapters/guarded-model.js';
import type { ChatEvent, LanguageModels } from '../src/adapters/language-models.js';
import { samplesOf } from './metric-samples.js';
import { modelsOf } from './model-rig.js';
import {
  ScriptedUpstream,
  answering,
  breaking,
  cutting,
  holding,
  refusing,
  sending,
  silent,
} from './scripted-upstream.js';
import type { Behaviour } from './scripted-upstream.js';

const caller = { tenant: 'acme', subject: 'spec', requestId: 'r' };

describe('several models with order and fallback', () => {
  let first: ScriptedUpstream;
  let second: ScriptedUpstream;
  let models: LanguageModels;
  beforeAll(async () => {
    [first, second] = await Promise.all([ScriptedUpstream.start(), ScriptedUpstream.start()]);
  });
  afterEach(() => models.onModuleDestroy());
  afterAll(() => Promise.all([first.close(), second.close()]));

  function configure(more: Record<string, string> = {}): void {
    models = modelsOf({
      OPENAI_BASE_URL: first.url,
      LLM_FALLBACK_MODELS: 'small',
      LLM_FURTHER_PROVIDERS: JSON.stringify([{ name: 'second', models: ['other'], base_url: second.url }]),
      LLM_PRICES: 'big=1/2,other=10/20',
      LLM_FIRST_TOKEN_TIMEOUT: '5s',
      ...more,
    }).models;
  }

  const run = (call: Partial<ChatCall> = {}, ms = 10_000): Promise<ChatEvent[]> =>
    inContext(caller, async () => {
      const { signal } = new AbortController();
      const events: ChatEvent[] = [];
      const messages = [{ role: 'user', content: 'Why?' }] as const;
      for await (const event of models.chat({ messages, maxTokens: 9, deadline: Deadline.in(ms), signal, ...call }))
        events.push(event);
      return events;
    });
  const asked = () => [...first.seen, ...second.seen].map(({ body }) => body.model);

  const hasty = { LLM_FIRST_TOKEN_TIMEOUT: '1s' };
  const ofTheLast = { promptTokens: 100, cost: (100 * 10 + 20 * 20) / 1e6 };
  it.each<[string, Behaviour, object?, Record<string, string>?]>([
    ['429 that asks to wait too long', refusing(429, { 'retry-after': '30' })],
    ['a server error', refusing(500)],
    ['a refusal', refusing(400)],
    ['a slow first token', silent(), undefined, hasty],
    [
      'a slow first token of what was accepted',
      holding(': at work\n\n'),
      { promptTokens: 102, completionTokens: 20 },
      hasty,
    ],
    ['a connection that broke after that', breaking(': at work\n\n'), { promptTokens: 102 }],
    ['a failure the provider reports itself', sending('data: {"error":{}}\n\n')],
    ['an empty answer', answering([]), { promptTokens: 300 }],
    ['an empty answer that tells no usage', sending('data: [DONE]\n\n'), { promptTokens: 102 }],
    ['no connection', ({ response }) => response.destroy()],
  ])('asks the smaller model, then the other provider: %s', async (_, failing, usage = ofTheLast, more = {}) => {
    configure(more);
    first.plays(failing);
    second.plays(answering('Because.'));
    const events = await run();
    expect(events[0]).toEqual({ type: 'begun', model: 'other', provider: 'second', isFallback: true });
    expect(events.at(-1)).toMatchObject({ isWhole: true, usage });
    expect([...new Set(asked())]).toEqual(['big', 'small', 'other']);
  });

  it('waits as long as the provider asks when that fits the time left, and asks the same model again', async () => {
    configure({ LLM_FALLBACK_MODELS: '', LLM_FURTHER_PROVIDERS: '[]' });
    first.plays(refusing(429, { 'retry-after': '0.2' }), answering('Because.'));
    const started = performance.now();
    expect((await run())[0]).toMatchObject({ model: 'big', isFallback: false });
    expect(performance.now() - started).toBeGreaterThanOrEqual(195);
    models.onModuleDestroy();
    configure({ LLM_FALLBACK_MODELS: '', LLM_FURTHER_PROVIDERS: '[]', ...hasty });
    first.plays(refusing(429, { 'retry-after': '3' }), answering('Because.'));
    await expect(run({}, 4_000)).rejects.toMatchObject({ details: { outcome: 'rate_limited', retryAfter: 3 } });
    expect(first.seen).toHaveLength(1);
  });

  it('does not keep its caller waiting longer than for a first token when the provider asks for it', async () => {
    configure({ LLM_FALLBACK_MODELS: '', LLM_FURTHER_PROVIDERS: '[]' });
    first.plays(refusing(429, { 'retry-after': '60' }));
    const started = performance.now();
    const asked = run({ signal: AbortSignal.timeout(3_000) }, 300_000);
    await expect(asked).rejects.toMatchObject({ details: { outcome: 'rate_limited', retryAfter: 60 } });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('never glues a second answer to one that has begun', async () => {
    configure();
    first.plays(cutting('Beca'));
    second.plays(answering('Because.'));
    const events = await run();
    expect(events.map(({ type }) => type)).toEqual(['begun', 'text', 'end']);
    expect(events[2]).toMatchObject({ isWhole: false, usage: { promptTokens: 1, completionTokens: 1, cost: 3e-6 } });
    expect(asked()).toEqual(['big']);
  });

  it('counts what a model took that thought and then said nothing, also when another or nobody answers instead', async () => {
    const taken = async (): Promise<Record<string, number>> => samplesOf('ragmesh_llm_tokens_total');
    const spentBy = (model: string) => `{tenant="acme",model="${model}",kind="completion"}`;
    const before = (await taken())[spentBy('big')] ?? 0;
    configure({ LLM_FALLBACK_MODELS: '' });
    first.plays(answering([], 'length'));
    second.plays(answering('Because.'));
    const cost = (100 * 1 + 20 * 2 + 100 * 10 + 20 * 20) / 1e6;
    const usage = { promptTokens: 200, completionTokens: 40, cost: expect.closeTo(cost, 9) };
    expect((await run()).at(-1)).toMatchObject({ isWhole: true, usage });
    expect((await taken())[spentBy('big')]).toBe(before + 20);
    const calls = await samplesOf('ragmesh_llm_calls_total');
    expect(Object.keys(calls)).toContainEqual(expect.stringContaining('model="big",outcome="empty"'));
    second.plays(refusing(400));
    await expect(run()).rejects.toMatchObject({ details: { promptTokens: 100, completionTokens: 20 } });
    second.plays(answering([], 'content_filter'));
    await expect(run()).rejects.toMatchObject({ details: { outcome: 'withheld', ...usage } });
  });

  it('says what an answer took that did not come to its end', async () => {
    configure();
    first.plays(cutting('Beca'));
    const call = {
      messages: [{ role: 'user', content: 'Why?' }],
      maxTokens: 9,
      deadline: Deadline.in(60_000),
    } as const;
    const { signal } = new AbortController();
    await expect(inContext(caller, () => models.complete({ ...call, signal }))).rejects.toMatchObject({
      code: 'GENERATION.UNAVAILABLE',
      details: { outcome: 'cut', promptTokens: 1, completionTokens: 1 },
    });
  });

  it('leaves time for the models that come after a slow one', async () => {
    configure({ LLM_FIRST_TOKEN_TIMEOUT: '1m' });
    first.plays(silent());
    second.plays(answering('Because.'));
    expect((await run({}, 8_000))[0]).toMatchObject({ model: 'other' });
  });

  it('tries the model a request names first, and refuses one that is not configured', async () => {
    configure();
    first.plays(answering('Because.'));
    second.plays(refusing(500));
    expect((await run({ model: 'other' }))[0]).toEqual({
      type: 'begun',
      model: 'big',
      provider: 'openai',
      isFallback: true,
    });
    const refusal = { code: 'REQUEST.INVALID', details: { field: 'model' }, message: expect.stringContaining('small') };
    await expect(run({ model: 'gpt-9' })).rejects.toMatchObject(refusal);
  });

  it('stops asking a model that keeps failing, and no other with it', async () => {
    configure();
    first.plays((seen) => (seen.body.model === 'big' ? refusing(500) : answering('Because.'))(seen));
    for (let call = 0; call < 6; call += 1) await run();
    const states = breakersOf('generation').map(({ name, state }) => [name, state]);
    expect(states).toEqual([
      ['llm.openai.big', 'open'],
      ['llm.openai.small', 'closed'],
      ['llm.second.other', 'closed'],
    ]);
    first.seen.length = 0;
    await run();
    expect(first.seen.map(({ body }) => body.model)).toEqual(['small']);
  });

  it.each([
    ['content_filter', 'withheld'],
    ['length', 'length'],
  ])('does not take a model for ill that ends before any text: %s', async (reason, outcome) => {
    configure({ LLM_FALLBACK_MODELS: '', LLM_FURTHER_PROVIDERS: '[]' });
    first.plays(answering([], reason));
    for (let call = 0; call < 8; call += 1) await expect(run()).rejects.toMatchObject({ details: { outcome } });
    expect(breakersOf('generation').map(({ state }) => state)).toEqual(['closed']);
    expect(first.seen).toHaveLength(8);
  });

  it('asks nobody else once the caller is gone', async () => {
    configure({ LLM_FIRST_TOKEN_TIMEOUT: '1m' });
    first.plays(silent());
    second.plays(answering('Because.'));
    const controller = new AbortController();
    const running = run({ signal: controller.signal });
    running.catch(() => undefined);
    await eventually('the provider is asked', () => first.seen.length > 0);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await first.seen[0]!.closed;
    expect(second.seen).toEqual([]);
  });
});
