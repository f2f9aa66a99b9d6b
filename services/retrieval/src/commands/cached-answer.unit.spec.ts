import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { generationV1 } from '@ragmesh/contracts';
import { createLogger, inContext } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { ResponseCache } from '../adapters/response-cache.js';
import { ResultCache } from '../adapters/result-cache.js';
import { tellingTo } from '../api/retrieval.grpc-mapper.js';
import { parseSearchQuery } from '../domain/search-query.js';
import type { AnswerFacts, RetrievalEvents } from '../publishes/retrieval-events.js';
import { retrievalConfig } from '../retrieval.config.js';
import type { AnswerEvent, AnswerQuery } from './answer-query.js';
import { CachedAnswer } from './cached-answer.js';
import type { CachedFound } from './cached-search.js';
import type { Prepared } from './prepare-search.js';
import { StageTimings } from './stage-timings.js';

const config = loadConfig(retrievalConfig, {});
const logger = createLogger('retrieval', 'silent');
const reader = { requestId: 'r', tenant: 'acme', subject: 'spec' };
const scope = { deadline: Deadline.in(10_000), signal: new AbortController().signal };
const options = { conversationId: '', history: [], instructions: '', model: '' };
const query = parseSearchQuery({ query: 'Where is the gate?', collection: 'station' }, 0.6);

/** @param stepBack what every answer had to do without, beside what preparing its question had to. */
function answering(stepBack: readonly string[] = []) {
  const [written, told] = [[] as Prepared[], [] as AnswerFacts[]];
  const none = { input: 0, output: 0 };
  async function* run(prepared: Prepared): AsyncGenerator<AnswerEvent> {
    written.push(prepared);
    const found = { points: [], degraded: [], timings: new StageTimings(), spent: none, cached: false };
    yield { type: 'sources', found: found as unknown as CachedFound };
    await new Promise(setImmediate);
    const completed = create(generationV1.CompletedSchema, { model: 'scripted' });
    const degraded = [...prepared.degraded, ...stepBack];
    const outcome = { timings: { total_ms: 1 }, cached: false, supported: undefined, completed, spent: none };
    yield { type: 'done', degraded, ...outcome } as unknown as AnswerEvent;
  }
  const events = { queryProcessed: (_: unknown, facts: AnswerFacts) => void told.push(facts) };
  const responses = new ResponseCache(config, logger);
  const results = new ResultCache(config, logger, responses);
  const writer = { run } as unknown as AnswerQuery;
  const answers = new CachedAnswer(writer, responses, results, events as unknown as RetrievalEvents);
  const readAll = async (prepared: Prepared) => {
    let told: unknown;
    for await (const { event } of answers.run(prepared, options, tellingTo(''), scope))
      if (event.case === 'done') told = { degraded: event.value.degraded, cached: event.value.cached };
    return told;
  };
  const ask = (degraded: readonly string[], switchedOff: readonly string[] = []) =>
    inContext(reader, () => readAll({ query, degraded, switchedOff }));
  /** Asks for an answer that takes less work. */
  const askLightly = () =>
    inContext(reader, async () => readAll(await answers.lightened({ query, degraded: [], switchedOff: [] }, options)));
  const keeps = (degraded: readonly string[]) =>
    inContext(reader, () => answers.isKept({ query, degraded, switchedOff: [] }, options));
  return { ask, askLightly, keeps, written, told };
}

describe('a question that is to take less work', () => {
  it('is answered from fewer chunks, which nobody else is given', async () => {
    const { ask, askLightly, written } = answering();
    const light = { degraded: ['context'], cached: false };
    for (let time = 1; time <= 2; time += 1) {
      expect(await askLightly()).toEqual(light);
      await new Promise(setImmediate); // by now it would be kept
    }
    expect(await ask([])).toEqual({ degraded: [], cached: false });
    expect(written.map(({ query: { topK } }) => topK)).toEqual([5, 5, 10]);
  });

  it('is given the whole answer that is kept, or being written for another', async () => {
    const { ask, askLightly, written } = answering();
    const first = ask([]);
    expect(await askLightly()).toEqual({ degraded: [], cached: true });
    await first;
    expect(await askLightly()).toEqual({ degraded: [], cached: true });
    expect(written).toHaveLength(1);
  });
});

describe('what preparing a question had to do without', () => {
  it('is told to its caller, also when the same question was answered without it before', async () => {
    const { ask } = answering();
    expect(await ask([])).toEqual({ degraded: [], cached: false });
    expect(await ask([])).toEqual({ degraded: [], cached: true });
    expect(await ask(['rerank'])).toEqual({ degraded: ['rerank'], cached: false });
    expect(await ask([])).toEqual({ degraded: [], cached: true });
  });

  it('is told to nobody else who asks at the same time', async () => {
    const { ask, written } = answering();
    const told = await Promise.all([ask(['rerank']), ask([]), ask(['rerank']), ask([])]);
    expect(told).toMatchObject([['rerank'], [], ['rerank'], []].map((degraded) => ({ degraded })));
    expect(written.map(({ degraded }) => degraded)).toEqual([['rerank'], []]);
  });

  it.each([
    ['keeps no answer from the next who ask, where an operator switched it off', ['rerank'], [], true],
    ['keeps it from them where something failed, too', ['defaults', 'rerank'], [], false],
    ['keeps it from them where answering went without something, too', ['rerank'], ['dense'], false],
  ])('%s', async (_, degraded, stepBack, isKept) => {
    const { ask, keeps } = answering(stepBack);
    expect(await ask(degraded, ['rerank'])).toEqual({ degraded: [...degraded, ...stepBack], cached: false });
    await new Promise(setImmediate);
    expect([await keeps(degraded), await keeps([])]).toEqual([isKept, false]);
  });

  it('is counted for those who share an answer as for the one who began it', async () => {
    const { ask, told } = answering(['dense']);
    const both = await Promise.all([ask([]), ask([])]);
    expect(both).toMatchObject([{ degraded: ['dense'] }, { degraded: ['dense'] }]);
    expect(told.map(({ degraded }) => degraded)).toEqual([['dense']]);
  });
});
