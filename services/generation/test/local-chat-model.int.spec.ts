import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { LocalChatModel } from '../src/adapters/local-chat-model.js';
import type { ChatPiece, ChatTimeLimits } from '../src/domain/language-model.js';

const library = new URL('./stand-in-transformers.mjs', import.meta.url).href;
const limits: ChatTimeLimits = { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 120_000 };
const opened: LocalChatModel[] = [];

function modelOf(name: string, from = library, modelsDir = '/models'): LocalChatModel {
  const model = new LocalChatModel('local', { library: from, modelsDir, model: name });
  opened.push(model);
  return model;
}

async function chat(
  model: LocalChatModel,
  content: string,
  maxTokens = 50,
  temperature?: number,
): Promise<ChatPiece[]> {
  const pieces: ChatPiece[] = [];
  const request = { messages: [{ role: 'user', content }] as const, maxTokens };
  const asked = temperature === undefined ? request : { ...request, temperature };
  for await (const piece of model.chat(asked, limits, new AbortController().signal)) pieces.push(piece);
  return pieces;
}
const textOf = (pieces: readonly ChatPiece[]) =>
  pieces.map((piece) => (piece.type === 'text' ? piece.text : '')).join('');

describe('a model in a thread of this process', () => {
  const model = modelOf('tiny');
  afterAll(() => Promise.all(opened.map((each) => each.close())));

  it('streams pieces of the model in its folder, with counts, and never reaches for the network', async () => {
    const pieces = await chat(model, 'one two');
    expect(textOf(pieces)).toBe('text-generation|tiny|q8|/models|false|false|- one two ');
    expect(pieces.at(-1)).toEqual({ type: 'end', reason: 'stop', usage: { promptTokens: 2, completionTokens: 3 } });
    expect(textOf(await chat(model, 'x', 50, 0.7))).toContain('|true|0.7 ');
  });

  it('stops at the limit of tokens and says so', async () => {
    const pieces = await chat(model, 'a b c d e', 3);
    expect(pieces.at(-1)).toMatchObject({ reason: 'length', usage: { completionTokens: 3 } });
  });

  it('answers several at once, one after the other', async () => {
    const answers = await Promise.all(['a', 'b', 'c'].map((content) => chat(model, `${content} `.repeat(30))));
    answers.forEach((pieces, at) => expect(textOf(pieces)).toContain('abc'[at]!));
  });

  it('is held back by a reader who does not read, and is free for the next one when that one leaves', async () => {
    const request = { messages: [{ role: 'user', content: 'word '.repeat(10_000) }] as const, maxTokens: 20_000 };
    const pieces = model.chat(request, limits, new AbortController().signal);
    await pieces.next();
    const other = chat(model, 'next');
    expect(await Promise.race([other, new Promise((resolve) => setTimeout(resolve, 100, 'held back'))])).toBe(
      'held back',
    );
    await pieces.return(undefined);
    expect(textOf(await other)).toContain('next');
  });

  it('ends with its caller and with its time', async () => {
    const caller = new AbortController();
    const request = { messages: [{ role: 'user', content: 'word '.repeat(1_000) }] as const, maxTokens: 20_000 };
    const pieces = model.chat(request, limits, caller.signal);
    await pieces.next();
    caller.abort();
    const rest = async () => {
      for await (const _ of pieces);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    const late = modelOf('late').chat(request, { ...limits, firstTokenMs: 1 }, new AbortController().signal);
    await expect(late.next()).rejects.toMatchObject({ details: { outcome: 'slow_first_token' } });
  });

  it('does not begin what was given up while it waited for its turn', async () => {
    const own = modelOf('waiting');
    const request = { messages: [{ role: 'user', content: 'word '.repeat(10_000) }] as const, maxTokens: 20_000 };
    const first = own.chat(request, limits, new AbortController().signal);
    await first.next();
    for (let number = 0; number < 3; number += 1) {
      const caller = new AbortController();
      const waiting = own.chat(request, limits, caller.signal).next();
      waiting.catch(() => undefined);
      await new Promise(setImmediate);
      caller.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    }
    await first.return(undefined);
    expect(textOf(await chat(own, '{"prompts":true}'))).toBe('2 ');
  });

  it('tells a failure by its name, starts anew after a crash, and says what is missing', async () => {
    await expect(chat(model, '{"fail":true}')).rejects.toMatchObject({ details: { outcome: 'server_error' } });
    await expect(chat(model, '{"die":true}')).rejects.toMatchObject({ details: { outcome: 'cut' } });
    expect(textOf(await chat(model, 'again'))).toContain('again');
    const advice = { code: 'GENERATION.UNAVAILABLE', message: expect.stringContaining('RAGMESH_MODELS_DIR') };
    await expect(chat(modelOf('missing'), 'x')).rejects.toMatchObject(advice);
    await expect(chat(modelOf('tiny', 'no-such-library'), 'x')).rejects.toMatchObject(advice);
  });

  it('is loaded once by those who come while the thread that could not load it ends', async () => {
    const modelsDir = await mkdtemp(join(tmpdir(), 'ragmesh-local-chat-'));
    const damage = join(modelsDir, 'damaged');
    await writeFile(damage, '');
    const own = modelOf('repaired', library, modelsDir);
    try {
      const repaired = chat(own, 'x').catch(() => {
        rmSync(damage);
        return chat(own, 'again');
      });
      expect(textOf(await repaired)).toContain('again');
      expect(textOf(await chat(own, '{"prompts":true}'))).toBe('2 ');
    } finally {
      await rm(modelsDir, { recursive: true });
    }
  });
});
