import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serversFolder } from '@ragmesh/local-servers';
import { describeWithServer, eventually, withinAttempts } from '@ragmesh/testing';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import { describeAdministration } from './administration.suite.js';
import { ABRIDGED, BROKEN, ENDLESS } from './chat-upstream.js';
import { describeEmbeddings } from './openai-embeddings.suite.js';
import { fact, pieces, question, read, startOpenAiMesh, type Json, type OpenAiMesh } from './openai-mesh.js';

let mesh: OpenAiMesh;
beforeAll(async () => void (mesh = await startOpenAiMesh()));
afterAll(() => mesh?.close());

/** What an answer of ragmesh has beyond OpenAI's. */
interface Grounded {
  readonly sources?: { readonly document_id: string; readonly text: string }[];
  readonly citations?: { readonly index: number; readonly document_id: string; readonly text: string }[];
  readonly degraded?: string[];
}

describe('chat completions through the official client', () => {
  it('answers whole by default, with usage, sources and citations', async () => {
    const completion = await mesh.client.chat.completions.create({ model: 'ragmesh', messages: [question] });
    expect(completion).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'ragmesh',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: pieces.join(''), refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 120, completion_tokens: 9, total_tokens: 129 },
    });
    const { sources, citations, degraded } = completion as Grounded;
    expect(sources?.[0]).toMatchObject({ document_id: 'lighthouse', text: fact });
    expect(citations).toMatchObject([{ index: 1, document_id: 'lighthouse' }]);
    expect(degraded).toEqual([]);
  });

  it('streams the same, with the role first, the citations last and the usage when asked for', async () => {
    const stream = await mesh.client.chat.completions.create({
      model: 'ragmesh',
      messages: [question],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.Chat.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]!.choices[0]).toMatchObject({ delta: { role: 'assistant', content: '' }, finish_reason: null });
    expect((chunks[0] as Grounded).sources?.[0]).toMatchObject({ document_id: 'lighthouse' });
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(pieces.join(''));
    const [end, last] = chunks.slice(-2);
    expect(end).toMatchObject({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: null });
    expect((end as Grounded).citations).toMatchObject([{ index: 1, document_id: 'lighthouse' }]);
    expect(last).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 120, completion_tokens: 9, total_tokens: 129 },
    });
  });

  it('sends chunks as unnamed events, no usage unless asked for, and [DONE] at the end', async () => {
    const response = await mesh.post('/v1/chat/completions', { model: 'ragmesh', messages: [question], stream: true });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const blocks = (await response.text()).trim().split('\n\n');
    expect(blocks.at(-1)).toBe('data: [DONE]');
    for (const block of blocks.slice(0, -1)) {
      expect(JSON.parse(block.replace(/^data: /, ''))).toMatchObject({ object: 'chat.completion.chunk' });
      expect(block).not.toContain('"usage"');
    }
  });

  it('collects a stream through the helper of the client', async () => {
    const run = mesh.client.chat.completions.stream({ model: 'ragmesh', messages: [question] });
    expect(await run.finalContent()).toBe(pieces.join(''));
  });

  it('stops the language model within a second when its client leaves', async () => {
    const messages = [{ role: 'user' as const, content: `Tell an ${ENDLESS} story of Alvöra` }];
    const leave = async (): Promise<number> => {
      const before = mesh.upstream.abandoned();
      const stream = await mesh.client.chat.completions.create({ model: 'ragmesh', messages, stream: true });
      let text = '';
      for await (const { choices } of stream) {
        text += choices[0]?.delta.content ?? '';
        if (text.length > 20) break; // the client of OpenAI closes the connection
      }
      const left = performance.now();
      await eventually('the model writes no more', () => mesh.upstream.abandoned() > before);
      return performance.now() - left;
    };
    expect(await withinAttempts(3, leave, (tookMs) => tookMs < 1_000)).toBeLessThan(1_000);
  });

  it('passes temperature and max_tokens on, and leaves aside what it does not know', async () => {
    await mesh.client.chat.completions.create({
      model: 'ragmesh',
      messages: [question],
      temperature: 0.3,
      max_tokens: 50,
      top_p: 0.9,
      seed: 7,
      user: 'me',
      tools: [],
    });
    expect(mesh.upstream.requests.at(-1)).toMatchObject({ temperature: 0.3, max_tokens: 50 });
  });

  it('ends before a stop sequence, whole and as a stream', async () => {
    const asked = { model: 'ragmesh', messages: [question], stop: [' metres', 'never'], tool_choice: 'auto' as const };
    const text = pieces.join('').split(' metres')[0];
    const { choices, ...rest } = await mesh.client.chat.completions.create({
      ...asked,
      response_format: { type: 'text' },
    });
    expect(choices[0]).toMatchObject({ message: { content: text }, finish_reason: 'stop' });
    expect(rest).toMatchObject({ citations: [], usage: { completion_tokens: 9 } });
    const run = mesh.client.chat.completions.stream({ ...asked, stop: ' metres' });
    expect(await run.finalContent()).toBe(text);
  });

  it('refuses a model that nobody configured before it searches for it, also as events', async () => {
    const ask = (model: string) => mesh.post('/v1/query', { query: question.content, model, stream: true });
    const refused = await ask('gpt-9');
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await refused.json()).toMatchObject({ code: 'REQUEST.INVALID', field: 'model' });
    for (const model of ['stub', 'extractive']) expect(await (await ask(model)).text()).toContain('event: done');
  });

  it('answers from the collection the model or the body names', async () => {
    const messages = [
      { role: 'user' as const, content: [{ type: 'text' as const, text: 'What colour is the buoy?' }] },
    ];
    const named = (await mesh.client.chat.completions.create({ model: 'ragmesh/harbour', messages })) as Grounded;
    expect(named.sources?.map(({ document_id }) => document_id)).toEqual(['buoy']);
    const body = { model: 'ragmesh', messages, collection: 'harbour' };
    expect(await read(mesh.post('/v1/chat/completions', body))).toMatchObject({ sources: [{ document_id: 'buoy' }] });
  });

  it.each([
    ['an unknown model', { model: 'gpt-4' }, NotFoundError, 'model', 'model_not_found'],
    ['a collection that is not there', { model: 'ragmesh/none' }, NotFoundError, 'model', 'model_not_found'],
    ['a wrong type', { temperature: 'hot' }, BadRequestError, 'temperature', 'REQUEST.INVALID'],
    ['no messages', { messages: [] }, BadRequestError, 'messages', 'REQUEST.INVALID'],
    ['two answers', { n: 2 }, BadRequestError, 'n', 'REQUEST.INVALID'],
    [
      'an answer in JSON',
      { response_format: { type: 'json_object' } },
      BadRequestError,
      'response_format.type',
      'REQUEST.INVALID',
    ],
    [
      'tools that must be called',
      { tool_choice: 'required', tools: [] },
      BadRequestError,
      'tool_choice',
      'REQUEST.INVALID',
    ],
    [
      'a tool that must be called',
      { tool_choice: { type: 'function', function: { name: 'f' } } },
      BadRequestError,
      'tool_choice',
      'REQUEST.INVALID',
    ],
    ['probabilities', { logprobs: true }, BadRequestError, 'logprobs', 'REQUEST.INVALID'],
    ['too many ends', { stop: ['a', 'b', 'c', 'd', 'e'] }, BadRequestError, 'stop', 'REQUEST.INVALID'],
    [
      'a blank question',
      { messages: [{ role: 'user', content: ' ' }] },
      BadRequestError,
      'messages[0].content',
      'REQUEST.INVALID',
    ],
    [
      'an unknown filter',
      { filters: { year: { $near: 1 } } },
      BadRequestError,
      'filters.year.$near',
      'FILTER.UNKNOWN_OPERATOR',
    ],
  ])('refuses %s as OpenAI would', async (_what, wrong, Kind, param, code) => {
    const body = { model: 'ragmesh', messages: [question], ...wrong };
    const refusal = await mesh.client.chat.completions.create(body as never).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(Kind);
    expect(refusal).toMatchObject({ code, type: 'invalid_request_error', param });
  });

  it('words malformed bodies as OpenAI would', async () => {
    const response = await mesh.post('/v1/chat/completions', '{');
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: { message: expect.any(String), type: 'invalid_request_error', param: null, code: 'REQUEST.MALFORMED' },
    });
  });
});

describe("ragmesh's own ways to ask", () => {
  const query = question.content;
  const promptOf = (): unknown => mesh.upstream.requests.at(-1)!['messages'];

  it('ask the model that is named, as warm and as long as the request says', async () => {
    const asked = { query, temperature: 0.4, max_tokens: 60, model: 'stub' };
    expect(await read(mesh.post('/v1/query', asked))).toMatchObject({ answer: pieces.join(''), model: 'stub' });
    expect(mesh.upstream.requests.at(-1)).toMatchObject({ temperature: 0.4, max_tokens: 60, model: 'stub' });
    const before = mesh.upstream.requests.length;
    const quoted = await read(mesh.post('/v1/query', { ...asked, model: 'extractive' }));
    expect(quoted).toMatchObject({ model: 'extractive', degraded: [], fallback_used: false });
    expect(quoted['answer']).toContain(fact);
    expect(mesh.upstream.requests).toHaveLength(before);
  });

  it('take a temperature and a conversation at /query too', async () => {
    const ask = (text: string): Promise<Json> =>
      read(mesh.post('/query', { query: text, temperature: 0.7, conversation_id: 'of the root' }));
    await ask(query);
    expect(mesh.upstream.requests.at(-1)).toMatchObject({ temperature: 0.7 });
    await ask('And when was it built?');
    expect(promptOf()).toEqual([
      expect.objectContaining({ role: 'system' }),
      { role: 'user', content: query },
      { role: 'assistant', content: expect.stringContaining(pieces.join('')) },
      { role: 'user', content: expect.stringContaining('And when was it built?') },
    ]);
  });
});

describe('an answer that was cut off', () => {
  const answer = pieces.join('');

  it.each([ABRIDGED, BROKEN])('says so wherever it is asked for, and a whole one does not: %s', async (how) => {
    const query = `${question.content} ${how}`;
    for (const path of ['/v1/query', '/api/v1/query']) {
      expect(await read(mesh.post(path, { query }))).toMatchObject({ answer, incomplete: true });
      expect(await read(mesh.post(path, { query: question.content }))).toMatchObject({ answer, incomplete: false });
    }
    const cut = await mesh.post('/query', { query });
    expect([cut.headers.get('x-answer-incomplete'), await cut.json()]).toMatchObject(['true', { answer }]);
    const whole = await mesh.post('/query', { query: question.content });
    expect([whole.headers.get('x-answer-incomplete'), await whole.json()]).toMatchObject([null, { answer }]);
  });

  it.each([
    ['/query/stream', {}],
    ['/query', { stream: true }],
  ])('ends in an error where it is told in events and its model broke off: %s', async (path, more) => {
    const eventsOf = async (body: Json): Promise<Json[]> => {
      const blocks = (await (await mesh.post(path, { ...body, ...more })).text()).trim().split('\n\n');
      return blocks.map((block) => JSON.parse(block.slice('data: '.length)) as Json);
    };
    const events = await eventsOf({ query: `${question.content} ${BROKEN}` });
    expect(events.map(({ text = '' }) => text).join('')).toBe(answer);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'GENERATION.UNAVAILABLE' });
    expect(events.map(({ type }) => type)).not.toContain('done');
    for (const query of [question.content, `${question.content} ${ABRIDGED}`])
      expect((await eventsOf({ query })).at(-1)).toEqual({ type: 'done' });
  });
});

describeEmbeddings(() => mesh);

describeWithServer('python-clients', "LangChain's and LlamaIndex' OpenAI clients", () => {
  it('read answers, streams, usage and vectors', async () => {
    const script = fileURLToPath(new URL('python-clients.py', import.meta.url));
    const model = (await mesh.client.models.list()).data.at(-1)!.id;
    const env = { ...process.env, PYTHONPATH: join(serversFolder, 'python-clients') };
    const args = [script, `${mesh.url}/v1`, model, question.content];
    const { stdout } = await promisify(execFile)('python3', args, { env });
    const answer = pieces.join('');
    const dimensions = [expect.any(Number), expect.any(Number)];
    expect(JSON.parse(stdout)).toEqual({
      langchain: {
        answer,
        tokens: 129,
        finish_reason: 'stop',
        streamed: answer,
        streamed_tokens: 129,
        dimensions,
      },
      llama_index: { answer, completed: answer, streamed: answer, dimensions },
    });
  });
});

describeAdministration(() => mesh);
