import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalChatModels, type LocalChatModel } from '../src/adapters/local-chat-model.js';
import type { ChatPiece, ChatTimeLimits } from '../src/domain/language-model.js';
import { writeTinyChatModel } from './tiny-chat-model.js';

const limits: ChatTimeLimits = { firstTokenMs: 60_000, idleMs: 60_000, totalMs: 120_000 };
let folder: string;
let models: LocalChatModels;

async function chat(model: LocalChatModel, content: string, maxTokens = 50): Promise<ChatPiece[]> {
  const pieces: ChatPiece[] = [];
  const request = { messages: [{ role: 'user', content }] as const, maxTokens };
  for await (const piece of model.chat(request, limits, new AbortController().signal)) pieces.push(piece);
  return pieces;
}
const textOf = (pieces: readonly ChatPiece[]): string =>
  pieces.map((piece) => (piece.type === 'text' ? piece.text : '')).join('');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-chat-'));
  await writeTinyChatModel(join(folder, 'tiny'));
  await writeTinyChatModel(join(folder, 'endless'), { endless: true });
  await cp(join(folder, 'tiny'), join(folder, 'without-weights'), { recursive: true });
  await rm(join(folder, 'without-weights/onnx'), { recursive: true });
  models = new LocalChatModels({ RAGMESH_MODELS_DIR: folder });
});
afterAll(async () => {
  await models?.onApplicationShutdown();
  await rm(folder, { recursive: true, force: true });
});

describe('a real model in its folder, run by @huggingface/transformers', () => {
  it('writes piece by piece, ends where it ends, and counts its tokens', async () => {
    const pieces = await chat(models.model('local', 'tiny'), 'the heron fishes');
    expect(textOf(pieces).trim()).toMatch(/^the\s*otter\s*sleeps\s*on\s*its\s*back$/);
    expect(pieces.filter(({ type }) => type === 'text').length).toBeGreaterThan(1);
    expect(pieces.at(-1)).toMatchObject({ type: 'end', reason: 'stop', usage: { promptTokens: 5 } });
  });

  it('stops at the limit of tokens, and when its reader leaves', async () => {
    const model = models.model('local', 'endless');
    expect((await chat(model, 'otter', 9)).at(-1)).toMatchObject({ reason: 'length', usage: { completionTokens: 9 } });
    const request = { messages: [{ role: 'user', content: 'otter' }] as const, maxTokens: 50_000 };
    const leaving = model.chat(request, limits, new AbortController().signal);
    await leaving.next();
    await leaving.return(undefined);
    expect(textOf(await chat(model, 'otter', 3))).toContain('otter');
  });

  it('says what is missing without asking any server for it', async () => {
    for (const name of ['without-weights', 'nowhere', '../outside'])
      await expect(chat(models.model('local', name), 'otter')).rejects.toMatchObject({
        code: 'GENERATION.UNAVAILABLE',
        message: expect.stringContaining('RAGMESH_MODELS_DIR'),
      });
  });
});
