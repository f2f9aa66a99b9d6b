import { createServer, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startService, type AnyServiceDefinition, type Drivers, type RunningService } from '@ragmesh/bootstrap';
import { generationV1, topicSpecs } from '@ragmesh/contracts';
import { createGrpcClient, type GrpcClient } from '@ragmesh/grpc';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedBusDriver } from '@ragmesh/messaging';
import { createLogger, inContext, renderMetrics } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { ConversationRepository, MAX_TURNS } from '../src/adapters/conversation.repository.js';
import { WithdrawalRepository } from '../src/adapters/withdrawal.repository.js';
import { ConversationRetention } from '../src/adapters/conversation-retention.js';
import type { GenerationConfig } from '../src/generation.config.js';
import { generationService } from '../src/generation.service.js';
import { withdrawnAnswers } from './withdrawn-answers.suite.js';

let folder: string;
let postgres: EmbeddedPostgres;
let bus: EmbeddedBusDriver;
let database: Database;
let service: RunningService;
let conversations: GrpcClient<typeof generationV1.ConversationService>;
let questions: GrpcClient<typeof generationV1.QuestionService>;
let repository: ConversationRepository;
let upstream: Server;
let reply = (): string => '';
let ending = 'stop';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-conversations-'));
  upstream = createServer((request, response) => {
    request.resume().on('end', () => {
      const chunk = (delta: object, reason: string | null) =>
        `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`${chunk({ content: reply() }, null)}${chunk({}, ending)}data: [DONE]\n\n`);
    });
  }).listen(0, '127.0.0.1');
  postgres = await EmbeddedPostgres.start(folder);
  bus = await EmbeddedBusDriver.connect({ databaseUrl: postgres.url('ragmesh_bus') });
  await bus.provision(topicSpecs);
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const open = () => new Database(createPool(postgres.url('ragmesh_generation'), { max: 4 }));
  const drivers: Drivers = {
    bus,
    databaseUrl: (name) => postgres.url(`ragmesh_${name}`),
    openDatabase: open,
    grpcAddress: () => address,
    logger: (name) => createLogger(name, 'silent'),
    health: { isAlive: () => true, isReady: () => true },
  };
  service = await startService(generationService as unknown as AnyServiceDefinition, drivers, {
    APP_LLM_BACKEND: 'openai',
    LM_MODEL: 'scripted',
    OPENAI_BASE_URL: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`,
  });
  conversations = createGrpcClient(generationV1.ConversationService, address);
  questions = createGrpcClient(generationV1.QuestionService, address);
  database = open();
  repository = new ConversationRepository(database, new WithdrawalRepository());
});
afterAll(async () => {
  conversations?.close();
  questions?.close();
  await service?.close();
  await database?.close();
  await bus?.close();
  await postgres?.stop();
  upstream?.closeAllConnections();
  upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

const as = <T>(tenant: string, work: () => Promise<T>, subject = 'reader'): Promise<T> =>
  inContext({ requestId: 'r', tenant, subject }, work);
const reader = (tenant: string) => ({ tenant, subject: 'reader', seesAll: false });
const exchange = (number: number) => [
  { role: 'user' as const, text: `question ${number}`, requestId: `r${number}` },
  { role: 'assistant' as const, text: `answer ${number}`, requestId: `r${number}`, documentIds: ['d1', 'd2'] },
];

withdrawnAnswers(() => ({ bus, repository, database, conversations }));

describe('conversations', () => {
  it('give the last messages, oldest first, also when several answers are added at once', async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, number) => repository.append(reader('memory'), 'c', exchange(number))),
    );
    const turns = await repository.recentTurns(reader('memory'), 'c', 6);
    expect(turns.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant', 'user', 'assistant']);
    for (const at of [0, 2, 4]) expect(turns[at + 1]!.text).toBe(turns[at]!.text.replace('question', 'answer'));
    expect(await repository.recentTurns(reader('memory'), 'nobody', 6)).toEqual([]);
    expect(await repository.recentTurns(reader('another'), 'c', 6)).toEqual([]);
  });

  it('are begun, listed and read in pages', async () => {
    const begun = await as('paging', () => conversations.createConversation({}));
    expect(begun.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(begun.turns).toBe(0);
    for (const number of [1, 2, 3]) await repository.append(reader('paging'), `own id ${number}`, exchange(number));
    const first = await as('paging', () => conversations.listConversations({ limit: 3 }));
    expect(first.conversations.map(({ id }) => id)).toEqual(['own id 3', 'own id 2', 'own id 1']);
    const rest = await as('paging', () => conversations.listConversations({ limit: 3, cursor: first.nextCursor }));
    expect(rest).toMatchObject({ conversations: [{ id: begun.id }], nextCursor: '' });
    const page = await as('paging', () => conversations.getConversation({ id: 'own id 1', limit: 1 }));
    expect(page).toMatchObject({ turns: 2, messages: [{ role: 'user', text: 'question 1' }] });
    const { nextCursor: cursor } = page;
    const next = await as('paging', () => conversations.getConversation({ id: 'own id 1', limit: 1, cursor }));
    const answer = { role: 'assistant', text: 'answer 1', requestId: 'r1', documentIds: ['d1', 'd2'] };
    expect(next).toMatchObject({ messages: [answer], nextCursor: '' });
  });

  it('of another tenant answer like missing ones, and stay', async () => {
    await repository.append(reader('mine'), 'shared', exchange(1));
    const missing = { code: 'CONVERSATION.NOT_FOUND', message: 'There is no conversation "shared".' };
    await expect(as('yours', () => conversations.getConversation({ id: 'shared' }))).rejects.toMatchObject(missing);
    await expect(as('yours', () => conversations.deleteConversation({ id: 'shared' }))).rejects.toMatchObject(missing);
    expect((await as('yours', () => conversations.listConversations({}))).conversations).toEqual([]);
    expect(await repository.recentTurns(reader('mine'), 'shared', 6)).toHaveLength(2);
  });

  it('of somebody else answer like missing ones, stay as they are, and are seen by whom no list stops', async () => {
    await as('acme', () => conversations.createConversation({ id: 'begun' }), 'jwt:ada');
    const [ada, bob] = ['jwt:ada', 'jwt:bob'].map((subject) => ({ ...reader('acme'), subject }));
    await repository.append(ada!, 'hers', exchange(1));
    const asBob = <T>(work: () => Promise<T>): Promise<T> => as('acme', work, 'jwt:bob');
    const missing = { code: 'CONVERSATION.NOT_FOUND', message: 'There is no conversation "hers".' };
    const attempts: (() => Promise<unknown>)[] = [
      () => conversations.getConversation({ id: 'hers' }),
      () => conversations.deleteConversation({ id: 'hers' }),
      () => conversations.createConversation({ id: 'hers' }),
      () => repository.append(bob!, 'hers', exchange(2)),
    ];
    for (const attempt of attempts) await expect(asBob(attempt)).rejects.toMatchObject(missing);
    expect((await asBob(() => conversations.listConversations({}))).conversations).toEqual([]);
    expect(await repository.recentTurns(bob!, 'hers', 6)).toEqual([]);
    expect(await repository.recentTurns(ada!, 'hers', 6)).toHaveLength(2);
    await database.query(`INSERT INTO conversation (tenant, id) VALUES ('acme', 'of an earlier release')`);
    const list = () => conversations.listConversations({});
    const idsOf = ({ conversations: all }: generationV1.ListConversationsResponse) => all.map(({ id }) => id);
    expect(idsOf(await as('acme', list, 'jwt:ada'))).toEqual(['hers', 'begun']);
    const admin = { requestId: 'r', tenant: 'acme', subject: 'jwt:eve', principals: ['*'] };
    expect(idsOf(await inContext(admin, list))).toEqual(['of an earlier release', 'hers', 'begun']);
    expect(await repository.recentTurns({ ...bob!, seesAll: true }, 'hers', 6)).toHaveLength(2);
  });

  it('leave nothing when they are deleted, and begin anew under the same id', async () => {
    await repository.append(reader('deleting'), 'c', exchange(1));
    expect(await as('deleting', () => conversations.deleteConversation({ id: 'c' }))).toMatchObject({
      deletedMessages: 2,
    });
    const left = `SELECT (SELECT count(*) FROM conversation WHERE tenant = 'deleting')
      + (SELECT count(*) FROM conversation_turn WHERE tenant = 'deleting') AS rows`;
    expect((await database.query(left)).rows).toEqual([{ rows: 0 }]);
    await expect(as('deleting', () => conversations.getConversation({ id: 'c' }))).rejects.toMatchObject({
      code: 'CONVERSATION.NOT_FOUND',
    });
    await repository.append(reader('deleting'), 'c', exchange(2));
    expect((await repository.recentTurns(reader('deleting'), 'c', 6)).map(({ text }) => text)).toEqual([
      'question 2',
      'answer 2',
    ]);
  });

  it('keep their newest turns and texts no database could hold', async () => {
    const many = Array.from({ length: MAX_TURNS }, (_, number) => ({ role: 'user' as const, text: `${number}` }));
    await repository.append(reader('long'), 'c', many);
    await repository.append(reader('long'), 'c', [{ role: 'user', text: 'last\0 \ud800one' }]);
    expect(await repository.get(reader('long'), 'c')).toMatchObject({ turns: MAX_TURNS });
    const [first] = await repository.turns('long', 'c', 0, 1);
    expect(first).toMatchObject({ ordinal: 2, text: '1' });
    expect(await repository.recentTurns(reader('long'), 'c', 1)).toEqual([{ role: 'user', text: 'last \ufffdone' }]);
  });

  it('are removed when their time is over, and only then', async () => {
    await repository.append(reader('old'), 'stale', exchange(1));
    await repository.append(reader('old'), 'fresh', exchange(2));
    await as('old', () => conversations.giveFeedback({ requestId: 'r1', rating: 'up' }));
    const past = `SET updated_at = now() - interval '2 hours' WHERE tenant = 'old'`;
    await database.query(`UPDATE conversation ${past} AND id = 'stale'`);
    await database.query(`UPDATE feedback ${past}`);
    const config = { CONVERSATION_RETENTION: 3600 } as GenerationConfig;
    expect(await new ConversationRetention(database, config, createLogger('spec', 'silent')).removeExpired()).toBe(2);
    expect(await repository.recentTurns(reader('old'), 'stale', 6)).toEqual([]);
    expect(await repository.recentTurns(reader('old'), 'fresh', 6)).toHaveLength(2);
  });

  it.each([
    ['an id that is too long', 'conversation_id', () => conversations.createConversation({ id: 'x'.repeat(201) })],
    ['an id with a control character', 'conversation_id', () => conversations.createConversation({ id: 'a\nb' })],
    ['a made-up cursor', 'cursor', () => conversations.listConversations({ cursor: 'made-up' })],
    ['a made-up cursor of feedback', 'cursor', () => conversations.listFeedback({ cursor: 'made-up' })],
    ['a rating that is none', 'rating', () => conversations.giveFeedback({ requestId: 'r', rating: 'great' })],
    ['feedback on nothing', 'request_id', () => conversations.giveFeedback({ rating: 'up' })],
    [
      'too long a comment',
      'comment',
      () => conversations.giveFeedback({ requestId: 'r', rating: 'up', comment: 'x'.repeat(4001) }),
    ],
    ['too many questions', 'count', () => questions.writeQuestions({ mode: 'quiz', count: 101 })],
    ['a mode that is none', 'mode', () => questions.writeQuestions({ mode: 'exam', count: 1 })],
    ['a model that is none', 'model', () => questions.writeQuestions({ mode: 'quiz', count: 1, model: 'unknown' })],
  ])('and their neighbours refuse %s by name', async (_what, field, send: () => Promise<unknown>) => {
    await expect(as('strict', send)).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
      message: expect.stringContaining(field),
    });
  });
});

describe('feedback', () => {
  const judge = (rating: string, comment = '', subject = 'ann') =>
    as('judges', () => conversations.giveFeedback({ requestId: 'r1', rating, comment }), subject);

  it('counts once per reader and answer, the last judgement', async () => {
    const first = await judge('up');
    const again = await judge('up');
    expect(again).toEqual(first);
    const changed = await judge('down', 'Wrong year.');
    expect(changed).toMatchObject({ id: first.id, rating: 'down', comment: 'Wrong year.', createdAt: first.createdAt });
    await judge('up', '', 'ben');
    const { feedback } = await as('judges', () => conversations.listFeedback({}));
    expect(feedback.map(({ rating }) => rating)).toEqual(['up', 'down']);
    expect((await as('others', () => conversations.listFeedback({}))).feedback).toEqual([]);
    const { body } = await renderMetrics();
    expect(Number(/ragmesh_feedback_total\{rating="down"\} (\d+)/.exec(body)?.[1])).toBe(1);
  });

  it('is listed in pages', async () => {
    for (const requestId of ['a', 'b', 'c']) {
      await as('many', () => conversations.giveFeedback({ requestId, rating: 'up' }));
    }
    const first = await as('many', () => conversations.listFeedback({ limit: 2 }));
    expect(first.feedback.map(({ requestId }) => requestId)).toEqual(['c', 'b']);
    const rest = await as('many', () => conversations.listFeedback({ limit: 2, cursor: first.nextCursor }));
    expect(rest).toMatchObject({ feedback: [{ requestId: 'a' }], nextCursor: '' });
  });
});

describe('questions', () => {
  const text = `A fen is a wetland that is fed by ground water. The Flow Country in Scotland stores carbon in deep peat.
Drainage of the bogs around Dublin began in 1750. Sphagnum mosses keep the surface of a bog acidic and wet.`;
  const source = { id: 'd:1:0', documentId: 'd', version: 1n, score: 1, text, start: 100, end: 100 + text.length };
  const ask = (count: number) =>
    as('learners', () => questions.writeQuestions({ sources: [source], count, mode: 'practice', topic: 'Wetlands' }));
  const entry = {
    question: 'What feeds a fen?',
    correct_answer: 'Ground water',
    explanation: 'So the text says.',
    source: 1,
  };

  it('are written by the model, each with the place of its quote', async () => {
    reply = () => JSON.stringify({ questions: [{ ...entry, quote: 'fed by ground water' }] });
    const set = await ask(1);
    expect(set).toMatchObject({ model: 'scripted', degraded: [], questions: [{ question: 'What feeds a fen?' }] });
    const { start, end, text: quoted } = set.questions[0]!.citation!;
    expect(text.slice(start - 100, end - 100)).toBe(quoted);
    expect(set.usage!.completionTokens).toBeGreaterThan(0);
  });

  it('are completed without the model where it invents its sources, and that is said', async () => {
    reply = () =>
      JSON.stringify({
        questions: [
          { ...entry, quote: 'fed by ground water' },
          { ...entry, question: 'Who?', quote: 'fed by the rain of autumn' },
        ],
      });
    const set = await ask(3);
    expect(set).toMatchObject({ model: 'scripted', degraded: ['llm'] });
    expect(set.questions).toHaveLength(3);
    expect(set.questions.map(({ question }) => question)).not.toContain('Who?');
  });

  it('are made without the model when its reply is none or breaks off, and tell what it took all the same', async () => {
    reply = () => 'I would rather talk about the weather.';
    const set = await ask(2);
    expect(set).toMatchObject({ model: 'extractive', degraded: ['llm'] });
    expect(set.questions).toHaveLength(2);
    for (const { citation } of set.questions)
      expect(text.slice(citation!.start - 100, citation!.end - 100)).toBe(citation!.text);
    ending = 'length';
    const cut = await ask(2);
    ending = 'stop';
    expect(cut).toMatchObject({ model: 'extractive', degraded: ['llm'], usage: { ...set.usage } });
  });

  it('are made without the model when that was wanted', async () => {
    const wanted = { sources: [source], count: 2, mode: 'practice', model: 'extractive' };
    const set = await as('learners', () => questions.writeQuestions(wanted));
    expect(set).toMatchObject({ model: 'extractive', degraded: [] });
    expect(set.questions).toHaveLength(2);
  });
});
