import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { AnswerCache } from '../src/adapters/answer-cache.js';
import type { Outcome } from '../src/commands/generate-answer.js';
import { WrittenAnswer } from '../src/commands/written-answer.js';
import { source } from '../src/domain/sources.fixture.js';
import { modelsOf } from './model-rig.js';
import { ScriptedUpstream, answering } from './scripted-upstream.js';

describe('a model that has one temperature only', () => {
  let upstream: ScriptedUpstream;
  let written: WrittenAnswer;
  let close: () => void;
  beforeAll(async () => {
    upstream = await ScriptedUpstream.start();
    upstream.plays((seen) => {
      if (seen.body['temperature'] === undefined) return answering('For 30 days [1].')(seen);
      seen.response.writeHead(400).end(JSON.stringify({ error: { message: 'Unsupported', param: 'temperature' } }));
    });
    const { config, logger, models } = modelsOf({ OPENAI_BASE_URL: upstream.url });
    written = new WrittenAnswer(models, new AnswerCache(config, logger));
    close = () => models.onModuleDestroy();
  });
  afterAll(async () => {
    close();
    await upstream.close();
  });

  async function outcomeOf(asked: { readonly temperature?: number }): Promise<Outcome | undefined> {
    const sources = [source('Logs are kept for 30 days.', { documentId: 'ops' })];
    const plain = { question: 'How long are logs kept?', sources, history: [], instructions: '' };
    const request = { ...plain, ...asked, collection: 'default', conversationId: '', maxTokens: 500, model: '' };
    const origin = { ...plain, tenant: 'acme', model: 'big' };
    const scope = { deadline: Deadline.in(10_000), signal: new AbortController().signal };
    return inContext({ tenant: 'acme', subject: 's', requestId: 'r' }, async () => {
      const events = written.write(request, { history: [], origin }, scope);
      for (;;) {
        const { done, value } = await events.next();
        if (done) return value;
      }
    });
  }

  it('answers all the same, and the answer says which wish was not met', async () => {
    expect(await outcomeOf({ temperature: 0.5 })).toMatchObject({ degraded: ['temperature'], incomplete: false });
    expect(await outcomeOf({ temperature: 0.7 })).toMatchObject({ degraded: ['temperature'] });
    expect(await outcomeOf({})).toMatchObject({ degraded: [] });
    expect(upstream.seen.map(({ body }) => body['temperature'])).toEqual([0.5, undefined, undefined, undefined]);
  });
});
