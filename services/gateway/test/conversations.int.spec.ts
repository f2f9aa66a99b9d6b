import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startStandalone, type Standalone } from '@ragmesh/service-standalone';
import { expectRefusal, type Refusal } from './refusal.js';

let mesh: Standalone;
let dataDir: string;

const peat = `A fen is a wetland that is fed by ground water rich in minerals. The Flow Country in Scotland stores carbon in deep peat.

Drainage of the bogs around Dublin began in 1750. Sphagnum mosses keep the surface of a bog acidic and wet all year. In 1875
Charles Darwin described sundew plants, which catch insects on bogs near Torquay. A swamp is a wetland that is dominated by trees.`;
const sea = `The Dogger Bank is a large sandbank in the North Sea. Trawlers from Grimsby fished there for cod until 1987. Its highest
parts lie only 15 metres below the surface at low tide. A shoal is a bar of sand that makes water shallow.`;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-gateway-'));
  mesh = await startStandalone({ environment: { RAGMESH_DATA_DIR: dataDir, SERVER_PORT: '0' } });
  await read(post('/v1/collections', { id: 'wetlands' }));
  await read(post('/v1/documents', { id: 'peat', collection: 'wetlands', text: peat }));
  await read(post('/v1/documents', { id: 'sea', text: sea }));
  for (const id of ['peat', 'sea']) {
    expect(await read(fetch(`${mesh.url}/v1/documents/${id}?wait=60`))).toMatchObject({ status: 'ready' });
  }
});
afterAll(async () => {
  await mesh?.close();
  await rm(dataDir, { recursive: true, force: true });
});

type Body = Record<string, unknown>;
interface Question {
  readonly question: string;
  readonly options: readonly string[];
  readonly correct_answer: string;
  readonly explanation: string;
  readonly citation: {
    readonly document_id: string;
    readonly start: number;
    readonly end: number;
    readonly text: string;
  };
}

const post = (path: string, body: object): Promise<Response> =>
  fetch(`${mesh.url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
const get = (path: string): Promise<Body> => read(fetch(`${mesh.url}${path}`));
const read = async (response: Promise<Response>): Promise<Body> => (await (await response).json()) as Body;
const ask = async (body: object): Promise<Body & { questions: Question[] }> =>
  (await read(post('/v1/questions', body))) as never;

describe('conversations', () => {
  it('hold what was asked and answered, and are gone when they are deleted', async () => {
    const question = { query: 'What is a fen?', collection: 'wetlands', conversation_id: 'my talk / 1' };
    const answer = await read(post('/v1/query', question));
    expect(answer).toMatchObject({ conversation_id: 'my talk / 1' });
    const path = `/v1/conversations/${encodeURIComponent('my talk / 1')}`;
    const { request_id: requestId } = answer;
    const messages = [
      { role: 'user', text: question.query, request_id: requestId, document_ids: [], withdrawn: false },
      { role: 'assistant', text: answer['answer'], request_id: requestId, document_ids: ['peat'], withdrawn: false },
    ];
    const conversation = { id: 'my talk / 1', message_count: 2, created_at: expect.stringMatching(/^20.*Z$/) };
    expect(await get(path)).toMatchObject({ ...conversation, messages, next_cursor: null });
    expect(await get('/v1/conversations')).toMatchObject({ data: [conversation], next_cursor: null });
    const deleted = await read(fetch(`${mesh.url}${path}`, { method: 'DELETE' }));
    expect(deleted).toEqual({ id: 'my talk / 1', deleted_messages: 2 });
    expect(await get('/v1/conversations')).toEqual({ data: [], next_cursor: null });
    expect(await get(path)).toMatchObject({ status: 404, code: 'CONVERSATION.NOT_FOUND' });
  });

  it('search and answer a follow-up as it was asked where no language model can reword it, and say so', async () => {
    const say = (query: string): Promise<Body> =>
      read(post('/v1/query', { query, collection: 'wetlands', conversation_id: 'no model' }));
    expect(await say('What is a fen?')).toMatchObject({ degraded: [] });
    const second = await say('And what is a swamp?');
    expect(second).toMatchObject({ degraded: ['condense'], citations: [expect.objectContaining({ source: 0 })] });
    expect(second['answer']).toContain('A swamp is a wetland that is dominated by trees.');
    await fetch(`${mesh.url}/v1/conversations/no%20model`, { method: 'DELETE' });
  });

  it('can be begun before anything is asked', async () => {
    const begun = await post('/v1/conversations', {});
    expect(begun.status).toBe(201);
    const { id } = (await begun.json()) as { id: string };
    expect(await get(`/v1/conversations/${id}`)).toMatchObject({ message_count: 0, messages: [], next_cursor: null });
  });

  it.each(['.', '..'])('are not begun under the id %s, which no path could name', async (id) => {
    for (const [path, body] of [
      ['/v1/conversations', { id }],
      ['/v1/query', { query: 'What is a fen?', conversation_id: id }],
    ] as const)
      expect(await read(post(path, body))).toMatchObject({ status: 422, detail: expect.stringContaining('. or ..') });
  });

  it('are begun once under an id: a further time answers 200 with the one that is there', async () => {
    const begin = (): Promise<Response> => post('/v1/conversations', { id: 'twice / 1' });
    const first = await begin();
    expect(first.status).toBe(201);
    const begun = await first.json();
    const again = await begin();
    expect([again.status, await again.json()]).toEqual([200, begun]);
    const atOnce = await Promise.all(Array.from({ length: 8 }, () => post('/v1/conversations', { id: 'at once' })));
    expect(atOnce.map(({ status }) => status).toSorted()).toEqual([...Array<number>(7).fill(200), 201]);
  });
});

describe('feedback', () => {
  it('judges an answer; the last judgement counts', async () => {
    const { request_id: requestId } = await read(post('/v1/query', { query: 'What is a shoal?' }));
    const first = await read(post('/v1/feedback', { request_id: requestId, rating: 'up' }));
    expect(first).toMatchObject({ request_id: requestId, rating: 'up', comment: null });
    const second = await read(post('/v1/feedback', { request_id: requestId, rating: 'down', comment: 'Too short.' }));
    expect(second).toMatchObject({ id: first['id'], rating: 'down', comment: 'Too short.' });
    expect(await get('/v1/feedback')).toEqual({ data: [second], next_cursor: null });
  });
});

describe('questions', () => {
  const sources: Readonly<Record<string, string>> = { peat, sea };

  it.each([
    ['a document', { document_id: 'peat', count: 4, mode: 'quiz' }, ['peat']],
    ['a topic', { topic: 'sandbanks in the North Sea', count: 3 }, ['sea']],
    ['a collection', { collection: 'wetlands', count: 5 }, ['peat']],
  ])('about %s quote it exactly', async (_what, body, documents) => {
    const set = await ask(body);
    expect(set).toMatchObject({ model: 'extractive', degraded: [], usage: { prompt_tokens: 0, completion_tokens: 0 } });
    expect(set['timings']).toMatchObject({ total_ms: expect.any(Number) });
    expect(set['request_id']).toEqual(expect.any(String));
    expect(set.questions).toHaveLength(body.count);
    for (const { question, options, correct_answer: answer, explanation, citation } of set.questions) {
      expect(documents).toContain(citation.document_id);
      expect(sources[citation.document_id]!.slice(citation.start, citation.end)).toBe(citation.text);
      expect(explanation).toContain(answer);
      expect(question.toLowerCase()).not.toContain(answer.toLowerCase());
      expect(options.length).toBeGreaterThanOrEqual('mode' in body ? 3 : 0);
      if ('mode' in body) expect(options).toContain(answer);
    }
    expect((await ask(body)).questions).toEqual(set.questions);
  });

  it('are fewer than asked for where the sources give no more', async () => {
    const { questions } = await ask({ document_id: 'sea', count: 100 });
    expect(questions.length).toBeGreaterThan(3);
    expect(questions.length).toBeLessThan(10);
  });

  it('about a collection are made of what is there, though one of its documents is gone meanwhile', async () => {
    const collection = 'two';
    await read(post('/v1/documents', { id: 'kept', collection, text: peat }));
    const text = 'Nobody finds this on the disk.';
    await read(post('/v1/documents', { id: 'lost', collection, text }));
    for (const id of ['kept', 'lost'])
      expect(await get(`/v1/documents/${id}?wait=60`)).toMatchObject({ status: 'ready' });
    const blob = createHash('sha256').update(text).digest('hex');
    const names = await readdir(dataDir, { recursive: true });
    await rm(
      join(
        dataDir,
        names.find((name) => name.endsWith(blob))!,
      ),
    );
    expect((await ask({ collection, count: 2 })).questions.map(({ citation }) => citation.document_id)).toEqual([
      'kept',
      'kept',
    ]);
  });

  it('about nothing are none', async () => {
    expect(await ask({ collection: 'nowhere' })).toMatchObject({ questions: [], degraded: ['questions'] });
    expect(await ask({ document_id: 'nothing' })).toMatchObject({ status: 404, code: 'DOCUMENT.NOT_FOUND' });
  });
});

const invalid = (field: string, limit?: number): Refusal => ({
  status: 422,
  code: 'REQUEST.INVALID',
  field,
  ...(limit === undefined ? {} : { limit }),
});

describe('bad input', () => {
  it.each<[string, () => Promise<Response>, Refusal]>([
    ['questions without end', () => post('/v1/questions', { count: 101 }), invalid('count', 100)],
    ['no questions', () => post('/v1/questions', { count: 0 }), invalid('count', 1)],
    ['a mode that is none', () => post('/v1/questions', { mode: 'exam' }), invalid('mode')],
    ['a blank topic', () => post('/v1/questions', { topic: ' ' }), invalid('topic')],
    ['too long a topic', () => post('/v1/questions', { topic: 'x'.repeat(1001) }), invalid('topic', 1000)],
    ['a field nobody knows', () => post('/v1/questions', { level: 'hard' }), invalid('level')],
    ['feedback on nothing', () => post('/v1/feedback', { rating: 'up' }), invalid('request_id')],
    ['a rating that is none', () => post('/v1/feedback', { request_id: 'a', rating: '5' }), invalid('rating')],
    [
      'too long a comment',
      () => post('/v1/feedback', { request_id: 'a', rating: 'up', comment: 'x'.repeat(4001) }),
      invalid('comment', 4000),
    ],
    ['a made-up cursor', () => fetch(`${mesh.url}/v1/feedback?cursor=abc`), invalid('cursor')],
    ['a made-up page', () => fetch(`${mesh.url}/v1/conversations?limit=201`), invalid('limit', 200)],
    ['too long an id', () => fetch(`${mesh.url}/v1/conversations/${'x'.repeat(201)}`), invalid('id', 200)],
  ])('%s is refused with field and limit', (_what, send, refusal) => expectRefusal(send, refusal));
});
