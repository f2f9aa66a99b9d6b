import type { MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generationV1 } from '@ragmesh/contracts';
import { createGrpcClient, type GrpcClient } from '@ragmesh/grpc';
import { breakersOf } from '@ragmesh/resilience';
import { describeForgetting } from './forgetting.suite.js';
import { GenerationRig } from './generation-rig.js';
import { describeLeaving } from './leaving.suite.js';
import { describeLocalProvider } from './local-provider.suite.js';
import { samplesOf } from './metric-samples.js';
import { ScriptedUpstream, answering, cutting, endless, refusing, silent } from './scripted-upstream.js';
import type { Behaviour } from './scripted-upstream.js';
import { describeUsage } from './usage.suite.js';

const text = 'Peat bogs cover three percent of the land.\nThey store twice as much carbon as all forests.';
const source = { id: 'd:1:0', documentId: 'd', version: 1n, score: 1, text, start: 100, end: 100 + text.length };
const question = 'How much carbon do peat bogs store?';
type Request = MessageInitShape<typeof generationV1.GenerateRequestSchema>;
type Event = generationV1.GenerateResponse['event'];

/** What an earlier answer says: it is given to the model as data. */
const quotedIn = ({ content }: { readonly content: string }): string | undefined =>
  /^<(data-\w+)>\n(.*)\n<\/\1>$/s.exec(content)?.[2];

describe('Generate', () => {
  let rig: GenerationRig;
  let upstream: ScriptedUpstream;
  let client: GrpcClient<typeof generationV1.GenerationService>;

  beforeAll(async () => {
    upstream = await ScriptedUpstream.start();
    rig = await GenerationRig.start();
    const address = await rig.service(environment());
    client = createGrpcClient(generationV1.GenerationService, address);
  });
  const environment = () => ({
    APP_LLM_BACKEND: 'openai',
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'sk-1',
    LM_MODEL: 'big',
    LLM_FALLBACK_MODELS: 'small',
    LLM_PRICES: 'big=1/2,vectors=3/0',
    LLM_FIRST_TOKEN_TIMEOUT: '10s',
    LLM_IDLE_TIMEOUT: '10s',
    LLM_MAX_TOKENS: '800',
  });
  beforeEach(() => upstream.plays(refusing(400)));
  afterAll(async () => {
    client?.close();
    await rig?.close();
    await upstream?.close();
  });

  const collect = (of: typeof client, request: Request, tenant = 'acme') =>
    rig.as(tenant, async () => {
      const events: Event[] = [];
      for await (const { event } of of.generate({ question, sources: [source], ...request })) events.push(event);
      return events;
    });
  const answer = async (request: Request = {}, tenant = 'acme', of = client) => {
    const events = await collect(of, request, tenant);
    const said = events.map((event) => (event.case === 'delta' ? event.value : '')).join('');
    const citations = events.flatMap((event) => (event.case === 'citation' ? [event.value] : []));
    return { said, citations, completed: events.at(-1)!.value as generationV1.Completed };
  };

  it('has the configured model answer, with citations checked, usage and cost', async () => {
    upstream.plays(answering('They store much [1][4], see https://evil.example/x.'));
    const { said, citations, completed } = await answer({ temperature: 0.5, maxTokens: 90 });
    expect(said).toBe('They store much [1], see .');
    expect(citations).toMatchObject([{ index: 1, text: 'They store twice as much carbon as all forests.' }]);
    const usage = { promptTokens: 100, completionTokens: 20, cost: (100 + 40) / 1e6 };
    const facts = { model: 'big', usage, degraded: [], incomplete: false, fallbackUsed: false };
    expect(completed).toMatchObject({ ...facts, removedCitations: 1, removedLinks: 1 });
    const removed = { '{kind="citation"}': 1, '{kind="link"}': 1 };
    expect(await samplesOf('ragmesh_llm_removed_total')).toEqual(removed);
    expect(upstream.seen[0]!.body).toMatchObject({ model: 'big', temperature: 0.5, max_tokens: 90 });
    expect(upstream.seen[0]!.headers.authorization).toBe('Bearer sk-1');
    expect((await rig.as('acme', () => client.listLanguageModels({}))).models).toMatchObject([
      { name: 'big', provider: 'openai' },
      { name: 'small', provider: 'openai' },
    ]);
  });

  it('asks no model when there is no source: it could only invent', async () => {
    const { said, completed } = await answer({ sources: [] });
    expect(said).toBe('The sources do not answer this question.');
    expect(completed).toMatchObject({ model: 'extractive', degraded: [] });
    expect(upstream.seen).toEqual([]);
  });

  it('asks the smaller model when the first one fails, and says so', async () => {
    upstream.plays((seen) => (seen.body.model === 'big' ? refusing(400) : answering('Much [1].'))(seen));
    expect((await answer()).completed).toMatchObject({ model: 'small', degraded: ['llm'], fallbackUsed: true });
  });

  it('gives the answer it gave before when every model fails, to the same question from the same sources only', async () => {
    const asked = { question: 'How much peat is there?' };
    upstream.plays(answering('Three percent [1].'));
    const before = await answer(asked);
    upstream.plays(refusing(400));
    const { said, citations, completed } = await answer(asked);
    expect([said, citations]).toEqual([before.said, before.citations]);
    expect(completed).toMatchObject({ model: 'big', degraded: ['llm', 'cached_answer'], fallbackUsed: true });
    expect((await answer({ ...asked, maxTokens: 5 })).completed.model).toBe('big');
    expect((await answer({ ...asked, maxTokens: 4 })).completed.model).toBe('extractive'); // it would be too long
    expect(await answer({ ...asked, stop: [' ['] })).toMatchObject({ said: 'Three percent', citations: [] });
    const newer = { ...asked, sources: [{ ...source, version: 2n }] };
    expect((await answer(newer)).completed).toMatchObject({ model: 'extractive', degraded: ['llm'] });
    expect((await answer(asked, 'other')).completed).toMatchObject({ model: 'extractive', degraded: ['llm'] });
  });

  describeForgetting(() => ({ rig, upstream, client, answer }));

  it('quotes the sources when nothing else is left', async () => {
    const { said, completed } = await answer({ question: 'How much carbon do the bogs store?' });
    expect(said).toContain('They store twice as much carbon as all forests. [1]');
    expect(completed).toMatchObject({ model: 'extractive', degraded: ['llm'], fallbackUsed: true, incomplete: false });
    expect(completed.usage).toMatchObject({ promptTokens: 0, completionTokens: 0 });
    upstream.plays(answering([], 'length')); // both models think until they may no more
    const costly = await answer({ question: 'How much carbon do the bogs store?' });
    expect(costly.completed).toMatchObject({ model: 'extractive', usage: { promptTokens: 200, completionTokens: 40 } });
  });

  it.each<[string, Behaviour, Record<string, string> | undefined]>([
    ['breaks off', cutting('It is '), undefined],
    ['goes silent', silent('It is '), { LLM_IDLE_TIMEOUT: '300ms' }],
    ['is stopped by a content filter', answering('It is ', 'content_filter'), undefined],
  ])('ends an answer that %s as incomplete, and keeps it nowhere', async (_, behaviour, more) => {
    const own =
      more && createGrpcClient(generationV1.GenerationService, await rig.service({ ...environment(), ...more }));
    upstream.plays(behaviour);
    const asked = { question: `What is peat? ${_}`, conversationId: `cut-${_}` };
    const { said, completed } = await answer(asked, 'acme', own);
    own?.close();
    expect(said.trim()).toBe('It is');
    expect(completed).toMatchObject({ model: 'big', incomplete: true, degraded: ['llm'] });
    expect(upstream.seen).toHaveLength(1);
    upstream.plays(refusing(400));
    expect((await answer(asked)).completed.model).toBe('extractive');
    expect(upstream.seen[0]!.body.messages).toHaveLength(2);
  });

  it('remembers what was said up to the limit of tokens, without calling the model to blame, and gives it to nobody else', async () => {
    const asked = { question: 'What is peat made of?', conversationId: 'limited' };
    upstream.plays(answering('It is [1] and ', 'length'));
    const { said, completed } = await answer(asked);
    expect(said.trim()).toBe('It is [1] and');
    expect(completed).toMatchObject({ model: 'big', incomplete: true, degraded: [], fallbackUsed: false });
    upstream.plays(refusing(400));
    expect((await answer(asked)).completed.model).toBe('extractive');
    const [, before, reply] = upstream.seen[0]!.body.messages;
    expect([before!.content, quotedIn(reply!)?.trim()]).toEqual([asked.question, said.trim()]);
  });

  it('ends before a stop sequence, whatever the model says afterwards, and remembers that much', async () => {
    const asked = { question: 'How much peat is where?', stop: ['\nQuestion:'], conversationId: 'stopped' };
    upstream.plays(cutting('Much [1].\nQuestion: And where? '));
    const { said, citations, completed } = await answer(asked);
    expect(said).toBe('Much [1].');
    expect(citations).toHaveLength(1);
    expect(completed).toMatchObject({ model: 'big', incomplete: false, degraded: [], usage: { completionTokens: 3 } });
    expect(upstream.seen[0]!.body['stop']).toEqual(asked.stop);
    upstream.plays(refusing(400));
    await answer({ conversationId: 'stopped' });
    expect(quotedIn(upstream.seen[0]!.body.messages.at(-2)!)).toBe('Much [1].');
    const whole = await answer({ question: asked.question });
    expect(whole.completed.model).toBe('extractive'); // nobody knows how it would have gone on
  });

  it('says nothing where a stop sequence comes first, and hangs up on the model there', async () => {
    const writing = endless();
    upstream.plays(writing);
    const { said, completed } = await answer({ question: 'Where is peat?', stop: ['word'] });
    expect(said).toBe('');
    expect(completed).toMatchObject({ model: 'big', incomplete: false, degraded: [] });
    await upstream.seen[0]!.closed;
  });

  it('remembers a conversation: the last six messages, of one tenant', async () => {
    upstream.plays(answering('Much [1].'));
    for (let turn = 0; turn < 4; turn += 1) await answer({ question: `Question ${turn}?`, conversationId: 'c1' });
    const { messages } = upstream.seen.at(-1)!.body;
    const roles = messages.map(({ role }) => role).join(' ');
    expect(roles).toBe('system user assistant user assistant user assistant user');
    expect(messages[1]).toEqual({ role: 'user', content: 'Question 0?' });
    expect(quotedIn(messages[2]!)).toBe('Much [1].');
    await answer({ conversationId: 'c1' });
    expect(upstream.seen.at(-1)!.body.messages[1]).toEqual({ role: 'user', content: 'Question 1?' });
    await answer({ conversationId: 'c1' }, 'other');
    expect(upstream.seen.at(-1)!.body.messages).toHaveLength(2);
  });

  it('takes what was said before, and how to answer, from a caller that keeps it itself', async () => {
    upstream.plays(answering('Much [1].'));
    const history = [
      { role: 'user', text: 'Tell me of bogs.' },
      { role: 'assistant', text: 'They are wet.' },
    ];
    await answer({ history, instructions: 'Be brief.' });
    const { messages } = upstream.seen.at(-1)!.body;
    expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(messages[0]!.content).toMatch(/from nothing else[^]+Be brief\.$/);
    expect(quotedIn(messages[2]!)).toBe('They are wet.');
  });

  describeLeaving(() => ({ rig, upstream, client }));

  describeUsage(() => ({ rig, upstream, answer }));

  it('writes queries with the model, and refuses output that is not what was asked for', async () => {
    const writer = createGrpcClient(generationV1.QueryWritingService, rig.addresses[0]!);
    const replies = (value: unknown) => upstream.plays(answering(JSON.stringify(value)));
    await rig.as('acme', async () => {
      upstream.plays(answering('Much [1].'));
      await answer({ question: 'What is peat?', conversationId: 'c2' });
      replies({ question: 'Where does peat grow?' });
      expect(await writer.condense({ question: 'Where?', conversationId: 'c2' })).toMatchObject({
        question: 'Where does peat grow?',
      });
      expect(upstream.seen[0]!.body.messages[1]!.content).toContain('user: What is peat?');
      expect(await writer.condense({ question: 'Where?', conversationId: 'new' })).toMatchObject({
        question: 'Where?',
      });
      expect(upstream.seen).toHaveLength(1);
      replies({ questions: ['A?', 'B?'] });
      expect((await writer.paraphrase({ question, count: 2 })).questions).toEqual(['A?', 'B?']);
      replies({ passage: 'Bogs store carbon.' });
      expect((await writer.hypothesise({ question })).passage).toBe('Bogs store carbon.');
      replies({ relevant: [2] });
      expect((await writer.gradePassages({ question, passages: ['a', 'b'] })).relevant).toEqual([1]);
      replies({ supported: false });
      expect((await writer.verifyAnswer({ question, answer: 'x', passages: ['a'] })).supported).toBe(false);
      await expect(writer.hypothesise({ question })).rejects.toMatchObject({ code: 'GENERATION.UNAVAILABLE' });
      await expect(writer.paraphrase({ question, count: 6 })).rejects.toMatchObject({
        details: { field: 'count', max: 5 },
      });
    });
    writer.close();
  });

  describeLocalProvider(() => ({ rig, upstream }));

  it.each<[Request, string]>([
    [{ question: ' ' }, 'question'],
    [{ question: 'x'.repeat(10_001) }, 'question'],
    [{ temperature: 2.1 }, 'temperature'],
    [{ maxTokens: 0 }, 'max_tokens'],
    [{ instructions: 'x'.repeat(8_001) }, 'instructions'],
    [{ model: 'gpt-9' }, 'model'],
    [{ conversationId: 'x'.repeat(201) }, 'conversation_id'],
  ])('refuses what cannot be, by name %#', async (request, field) => {
    const refusal = { code: 'REQUEST.INVALID', message: expect.stringContaining(field), details: { field } };
    await expect(answer(request)).rejects.toMatchObject(refusal);
    expect(upstream.seen).toEqual([]);
  });

  it('shows its models to operators as dependencies', () => {
    expect(breakersOf('generation').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['llm.openai.big', 'llm.openai.small']),
    );
  });
});
