import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { OpenAiChatModel } from '../src/adapters/openai-chat-model.js';
import type { ChatPiece, ChatTimeLimits } from '../src/domain/language-model.js';
import {
  ScriptedUpstream,
  answering,
  breaking,
  cutting,
  endless,
  heldBack,
  holding,
  finish,
  piece,
  refusing,
  sending,
  silent,
  type Behaviour,
  type SeenRequest,
} from './scripted-upstream.js';

const messages = [{ role: 'user', content: 'Why?' }] as const;
const limits: ChatTimeLimits = { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 120_000 };

describe('a chat model behind the OpenAI protocol', () => {
  let upstream: ScriptedUpstream;
  let model: OpenAiChatModel;
  beforeAll(async () => {
    upstream = await ScriptedUpstream.start();
    model = new OpenAiChatModel({ provider: 'openai', baseUrl: `${upstream.url}/`, apiKey: 'sk-1' }, 'big');
  });
  afterAll(() => upstream.close());

  async function chat(more: Partial<ChatTimeLimits> = {}, signal = new AbortController().signal): Promise<ChatPiece[]> {
    const pieces: ChatPiece[] = [];
    const request = { messages, temperature: 0.2, maxTokens: 50 };
    for await (const next of model.chat(request, { ...limits, ...more }, signal)) pieces.push(next);
    return pieces;
  }
  const textOf = (pieces: readonly ChatPiece[]) =>
    pieces.map((next) => (next.type === 'text' ? next.text : '')).join('');

  it('asks for a stream with usage, under its key, and gives every piece', async () => {
    upstream.plays(answering(['Because ', '„ü😀“', '.']));
    const pieces = await chat();
    expect(textOf(pieces)).toBe('Because „ü😀“.');
    expect(pieces.at(-1)).toEqual({ type: 'end', reason: 'stop', usage: { promptTokens: 100, completionTokens: 20 } });
    expect(upstream.seen[0]!.headers.authorization).toBe('Bearer sk-1');
    expect(upstream.seen[0]!.body).toEqual({
      model: 'big',
      messages: [{ role: 'user', content: 'Why?' }],
      max_tokens: 50,
      temperature: 0.2,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('reads a stream however its bytes are cut, with comments, other line ends and roles in it', async () => {
    const bytes = Buffer.from(
      `: ping\r\n\r\n${piece('é😀')}${piece(' b').replaceAll('\n', '\r\n')}${finish('length')}data: [DONE]\n\n`,
    );
    upstream.plays(async ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const byte of bytes) {
        response.write(Buffer.from([byte]));
        if (byte > 127) await new Promise(setImmediate);
      }
      response.end();
    });
    const pieces = await chat();
    expect(textOf(pieces)).toBe('é😀 b');
    expect(pieces.at(-1)).toEqual({ type: 'end', reason: 'length' });
  });

  it.each([
    { prompt_tokens: 1.5, completion_tokens: 20 },
    { prompt_tokens: 100, completion_tokens: 1e300 },
    { prompt_tokens: -1, completion_tokens: 20 },
    { total_tokens: 120 },
    'much',
  ])('gives an answer whose provider counts its tokens as nobody can: %j', async (usage) => {
    upstream.plays(sending(`${piece('Because.')}${finish()}data: ${JSON.stringify({ usage })}\n\ndata: [DONE]\n\n`));
    expect(await chat()).toEqual([
      { type: 'text', text: 'Because.' },
      { type: 'end', reason: 'stop' },
    ]);
  });

  it.each(['content_filter', 'tool_calls'])('does not take an answer that ended by %s for whole', async (reason) => {
    upstream.plays(answering(['Because '], reason));
    expect((await chat()).at(-1)).toMatchObject({ type: 'end', reason: 'withheld' });
  });

  it('asks a model as it wants to be asked, remembers how, and says what it ignored', async () => {
    const reasoning = (seen: SeenRequest) => {
      const param = ['max_tokens', 'temperature', 'stop'].find((name) => seen.body[name] !== undefined);
      if (param === undefined) return answering('Because.')(seen);
      const refusal = { error: { message: 'Unsupported', param, code: 'unsupported_parameter' } };
      seen.response.writeHead(400).end(JSON.stringify(refusal));
    };
    const own = new OpenAiChatModel({ provider: 'openai', baseUrl: upstream.url }, 'thinker');
    const ask = async () => {
      for await (const _ of own.chat({ messages, maxTokens: 50 }, limits, new AbortController().signal));
    };
    upstream.plays(reasoning);
    await ask();
    await ask();
    const names = upstream.seen.map(({ body }) => [body['max_tokens'], body['max_completion_tokens']]);
    expect(names).toEqual([
      [50, undefined],
      [undefined, 50],
      [undefined, 50],
    ]);
    upstream.plays(reasoning);
    let last: unknown;
    const warm = { messages, maxTokens: 50, temperature: 0.2 };
    for await (const piece of own.chat(warm, limits, new AbortController().signal)) last = piece;
    expect(last).toMatchObject({ type: 'end', reason: 'stop', ignored: ['temperature'] });
    expect(upstream.seen.map(({ body }) => body['temperature'])).toEqual([0.2, undefined]);
    upstream.plays(reasoning);
    const stopping = { messages, maxTokens: 50, stop: ['\n'] };
    for await (const piece of own.chat(stopping, limits, new AbortController().signal)) last = piece;
    expect(last).toEqual({ type: 'end', reason: 'stop', usage: { promptTokens: 100, completionTokens: 20 } });
    expect(upstream.seen.map(({ body }) => body['stop'])).toEqual([['\n'], undefined]);
    upstream.plays(refusing(400)); // for another reason: asked once
    await expect(chat()).rejects.toMatchObject({ details: { outcome: 'refused' } });
    expect(upstream.seen).toHaveLength(1);
  });

  it.each([
    [
      '429 with seconds',
      refusing(429, { 'retry-after': '7' }),
      { outcome: 'rate_limited', retryAfter: 7, status: 429 },
    ],
    [
      '429 with a date',
      refusing(429, { 'retry-after': new Date(0).toUTCString() }),
      { outcome: 'rate_limited', retryAfter: 0 },
    ],
    ['a 503', refusing(503), { outcome: 'server_error', status: 503 }],
    ['a wrong key', refusing(401), { outcome: 'refused', status: 401 }],
    ['a page instead of a stream', sending('<html>', 'text/html'), { outcome: 'garbage' }],
    ['an event that is no JSON', sending('data: {"choices":\n\n'), { outcome: 'garbage' }],
    ['an event of another shape', sending('data: {"choices":[{"delta":{"content":7}}]}\n\n'), { outcome: 'garbage' }],
    ['a failure told within the stream', sending('data: {"error":{"message":"x"}}\n\n'), { outcome: 'server_error' }],
    [
      'a redirect, which would take the key elsewhere',
      refusing(302, { location: 'http://127.0.0.1:1/' }),
      { outcome: 'unreachable' },
    ],
    ['an event without end', sending(`data: ${'x'.repeat(1_100_000)}`), { outcome: 'garbage' }],
    ['a stream that breaks off', cutting('Beca'), { outcome: 'cut' }],
    ['a stream that ends without its end', sending(piece('Beca')), { outcome: 'cut' }],
  ])('says what went wrong: %s', async (_, behaviour, details) => {
    upstream.plays(behaviour);
    const failure = await chat().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'GENERATION.UNAVAILABLE', details });
    expect(JSON.stringify(failure) + String(failure)).not.toMatch(/secret|sk-1/);
  });

  // Long enough for the request to have reached the upstream before the time is over.
  it.each([
    ['its first piece', silent(), { firstTokenMs: 3_000 }, 'slow_first_token'],
    ['its next piece', silent('Beca'), { idleMs: 50 }, 'idle'],
    ['its end', silent('Beca'), { totalMs: 3_000 }, 'too_long'],
  ])('gives up and hangs up when %s is late', async (_, behaviour, late, outcome) => {
    upstream.plays(behaviour);
    await expect(chat(late)).rejects.toMatchObject({ details: { outcome } });
    await upstream.seen[0]!.closed;
  });

  const counted = `data: {"choices":null,"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n`;
  const nothing = `data: {"choices":[{"delta":null}]}\n\n`;
  const said = `${piece('Because.')}${finish()}`;
  const usage = { promptTokens: 7, completionTokens: 2 };
  it.each<[string, Behaviour, object]>([
    ['breaks the connection', breaking(said), {}],
    ['counts first and breaks the connection', breaking(said + counted), { usage }],
    ['says nothing more and stays', holding(said + counted), { usage }],
    ['sends chunks without anything in them', sending(`${said}${nothing}${counted}data: [DONE]\n\n`), { usage }],
    ['sends something else', sending(`${said}data: {"choices":7}\n\n`), {}],
  ])('takes an answer for whole whose provider has ended it and then %s', async (_, behaviour, told) => {
    upstream.plays(behaviour);
    const pieces = await chat({}, AbortSignal.timeout(20_000));
    expect(pieces).toEqual([
      { type: 'text', text: 'Because.' },
      { type: 'end', reason: 'stop', ...told },
    ]);
  });

  it('does not take an answer for given whose caller leaves after its end', async () => {
    upstream.plays(holding(said));
    const caller = new AbortController();
    const pieces = model.chat({ messages, maxTokens: 5 }, limits, caller.signal);
    await pieces.next();
    caller.abort();
    await expect(pieces.next()).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
  });

  it('says that nobody is there', async () => {
    const nobody = new OpenAiChatModel({ provider: 'x', baseUrl: 'http://127.0.0.1:1/v1' }, 'big');
    const first = nobody.chat({ messages, maxTokens: 5 }, limits, new AbortController().signal).next();
    await expect(first).rejects.toMatchObject({ details: { outcome: 'unreachable' } });
  });

  it('hangs up at once when the caller goes away or stops reading', async () => {
    upstream.plays(silent('Beca'));
    const caller = new AbortController();
    const running = chat({}, caller.signal);
    running.catch(() => undefined);
    await eventually('the provider is asked', () => upstream.seen.length > 0);
    caller.abort();
    await expect(running).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await upstream.seen[0]!.closed;
    upstream.plays(endless());
    for await (const _ of model.chat({ messages, maxTokens: 5 }, limits, new AbortController().signal)) break;
    await upstream.seen[0]!.closed;
  });

  it('holds the provider back while nobody reads, and does not count that as silence of the provider', async () => {
    const flood = endless();
    upstream.plays(flood);
    const idleMs = 1_000;
    const pieces = model.chat({ messages, maxTokens: 5 }, { ...limits, idleMs }, new AbortController().signal);
    await pieces.next();
    const read = performance.now();
    await heldBack(flood);
    await eventually('nobody has read for longer than that', () => performance.now() - read > 1.5 * idleMs);
    expect(flood.written()).toBeLessThan(16 * 1024 * 1024);
    expect((await pieces.next()).value).toMatchObject({ type: 'text' });
    await pieces.return(undefined);
  });
});
