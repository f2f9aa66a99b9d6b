import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { AnswerCache } from '../src/adapters/answer-cache.js';
import type { Outcome } from '../src/commands/generate-answer.js';
import { WrittenAnswer, type InVain } from '../src/commands/written-answer.js';
import { source } from '../src/domain/sources.fixture.js';
import { modelsOf } from './model-rig.js';
import { ScriptedUpstream, answering, type Behaviour } from './scripted-upstream.js';

/** The provider's refusal of a request for its temperature. */
const refusingTemperature: Behaviour = ({ response }) =>
  void response.writeHead(400).end(JSON.stringify({ error: { message: 'Unsupported', param: 'temperature' } }));

describe('a model that does not take every temperature', () => {
  let upstream: ScriptedUpstream;
  let written: WrittenAnswer;
  let close: () => void;
  beforeAll(async () => {
    upstream = await ScriptedUpstream.start();
  });
  beforeEach(() => {
    const { config, logger, models } = modelsOf({ OPENAI_BASE_URL: upstream.url });
    written = new WrittenAnswer(models, new AnswerCache(config, logger));
    close = () => models.onModuleDestroy();
  });
  afterEach(() => close());
  afterAll(() => upstream.close());

  /** A model that takes a temperature only where `isTaken` says so. */
  const plays = (isTaken: (temperature: number) => boolean): void =>
    upstream.plays((seen) => {
      const temperature = seen.body['temperature'] as number | undefined;
      const isFine = temperature === undefined || isTaken(temperature);
      (isFine ? answering('For 30 days [1].') : refusingTemperature)(seen);
    });
  const asked = () => upstream.seen.map(({ body }) => body['temperature']);

  async function outcomeOf(asked: { readonly temperature?: number }): Promise<Outcome | InVain> {
    const sources = [source('Logs are kept for 30 days.', { documentId: 'ops' })];
    const plain = { question: 'How long are logs kept?', sources, history: [], instructions: '' };
    const limits = { maxTokens: 500, stop: [], model: '' };
    const request = { ...plain, ...asked, ...limits, collection: 'default', conversationId: '', sourcesAgeMs: 0 };
    const origin = { ...plain, tenant: 'acme', collection: 'default', model: 'big' };
    const scope = { deadline: Deadline.in(60_000), signal: new AbortController().signal };
    return inContext({ tenant: 'acme', subject: 's', requestId: 'r' }, async () => {
      const events = written.write(request, { history: [], origin }, scope);
      for (;;) {
        const { done, value } = await events.next();
        if (done) return value;
      }
    });
  }

  it('answers all the same, and the answer says which wish was not met', async () => {
    plays(() => false);
    expect(await outcomeOf({ temperature: 0.5 })).toMatchObject({ degraded: ['temperature'], incomplete: false });
    expect(await outcomeOf({ temperature: 0.7 })).toMatchObject({ degraded: ['temperature'] });
    expect(await outcomeOf({})).toMatchObject({ degraded: [] });
    expect(asked()).toEqual([0.5, undefined, undefined, undefined]);
  });

  it('goes on with the wishes of others when one was out of its range', async () => {
    plays((temperature) => temperature <= 1);
    expect(await outcomeOf({ temperature: 0.2 })).toMatchObject({ degraded: [] });
    expect(await outcomeOf({ temperature: 1.5 })).toMatchObject({ degraded: ['temperature'], incomplete: false });
    expect(await outcomeOf({ temperature: 0.2 })).toMatchObject({ degraded: [] });
    expect(asked()).toEqual([0.2, 1.5, undefined, 0.2]);
  });

  it('is known by the refusal of one that every model with a temperature takes', async () => {
    plays(() => false);
    for (const temperature of [1.5, 1, 1.5]) await outcomeOf({ temperature });
    expect(asked()).toEqual([1.5, undefined, 1, undefined, undefined]);
  });
});
