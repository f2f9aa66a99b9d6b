import { describe, expect, it } from '@jest/globals';
import { chosenCollection, queryOf, questionOf } from './chat-question.js';
import { chatRequest, type ChatMessage } from './chat.schema.js';
import { chatModelOf, collectionOf, isNameOf } from './model-names.js';

const user = (content: ChatMessage['content']): ChatMessage => ({ role: 'user', content });
const caught = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('the question of a chat', () => {
  it('is the last message of the user, its parts one below the other', () => {
    expect(questionOf([user('first'), { role: 'assistant', content: 'answer' }, user('second')])).toBe('second');
    const parts = ['a', 'b'].map((text) => ({ type: 'text' as const, text }));
    expect(questionOf([user(parts), { role: 'tool', content: 'x' }])).toBe('a\nb');
  });

  it.each([
    ['no user', [{ role: 'system', content: 'be kind' } as const], 'messages'],
    ['a blank one', [user('a'), user(' \n')], 'messages[1].content'],
    ['a message without content', [user(null)], 'messages[0].content'],
    ['one too long', [user('x'.repeat(8_001))], 'messages[0].content'],
  ])('is refused when there is %s', (_what, messages, field) => {
    expect(caught(() => questionOf(messages))).toMatchObject({ code: 'REQUEST.INVALID', details: { field } });
  });

  it('comes with what was said before it, and with how to answer', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: 'Be brief.' },
      user('a'),
      { role: 'assistant', content: 'b' },
      { role: 'assistant', content: null },
      { role: 'developer', content: 'In French.' },
      user('c'),
      { role: 'tool', content: 'x' },
    ];
    expect(queryOf(chatRequest.parse({ model: 'ragmesh', messages }))).toMatchObject({
      search: { query: 'c' },
      history: [
        { role: 'user', text: 'a' },
        { role: 'assistant', text: 'b' },
      ],
      instructions: 'Be brief.\nIn French.',
    });
  });
});

describe('how a chat wants to be answered', () => {
  const asked = (...lengths: number[]) =>
    queryOf(
      chatRequest.parse({
        model: 'ragmesh',
        messages: [...lengths.map((length) => ({ role: 'system', content: 'x'.repeat(length) })), user('q')],
      }),
    );

  it('is refused by the name of the field it came in when it is too long', () => {
    expect(asked(4_000, 3_999).instructions).toHaveLength(8_000);
    expect(caught(() => asked(4_000, 4_000))).toMatchObject({
      code: 'REQUEST.INVALID',
      message: expect.stringContaining('8000'),
      details: { field: 'messages', limit: 8_000 },
    });
  });
});

describe('what is asked of retrieval', () => {
  const input = (more: object) => chatRequest.parse({ model: 'ragmesh', messages: [user('q')], ...more });

  it('leaves to the collection what the body leaves out, null included', () => {
    const nothing = queryOf(input({ temperature: null, top_k: null, max_tokens: null, filters: null }));
    expect(nothing).toEqual({
      search: { query: 'q', collection: 'default', mode: '', topK: 0 },
      model: '',
      conversationId: '',
      history: [],
      instructions: '',
      stop: [],
    });
  });

  it('caps the tokens of an answer, by either name', () => {
    expect(queryOf(input({ max_tokens: 100_000 }))).toMatchObject({ maxTokens: 8_192 });
    expect(queryOf(input({ max_tokens: 100, max_completion_tokens: 50 }))).toMatchObject({ maxTokens: 50 });
  });

  it('takes the collection from the body or the name of the model, never two', () => {
    expect(chosenCollection({ model: 'ragmesh/a', collection: undefined })).toBe('a');
    expect(chosenCollection({ model: 'ragmesh', collection: 'b' })).toBe('b');
    expect(chosenCollection({ model: 'ragmesh/a', collection: 'a' })).toBe('a');
    const conflict = caught(() => chosenCollection({ model: 'ragmesh/a', collection: 'b' }));
    expect(conflict).toMatchObject({ code: 'REQUEST.INVALID', details: { field: 'collection' } });
    for (const model of ['gpt-4', 'ragmesh/', 'ragmesh2'])
      expect(caught(() => chosenCollection({ model, collection: 'a' }))).toMatchObject({ code: 'MODEL.NOT_FOUND' });
  });
});

describe('names of models', () => {
  it('lead to the collection and back', () => {
    for (const collection of ['a', 'a/b']) expect(collectionOf(chatModelOf(collection))).toBe(collection);
    expect(chatModelOf('default')).toBe('ragmesh');
  });

  it('may leave the revision out', () => {
    expect(isNameOf('a/b', 'a/b@1')).toBe(true);
    expect(isNameOf('a/b@1', 'a/b@1')).toBe(true);
    expect(isNameOf('a/b@2', 'a/b@1')).toBe(false);
  });
});
