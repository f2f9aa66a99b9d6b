import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { retrievalV1 } from '@ragmesh/contracts';
import { completionBody, droppedBody, resultBody, searchMessage, supportedBody } from '../src/api/search.mapper.js';
import { completion, resultSchema, searchRequest } from '../src/api/search.schema.js';

describe('the fields of a search', () => {
  it('reach retrieval, and are left out where the caller said nothing, so that a collection can have its own', () => {
    const fields = { fusion: 'rrf', mmr: 0.5, multi_query: true, hyde: true, self_check: true, granularity: 'parent' };
    expect(searchMessage(searchRequest.parse({ query: 'q', ...fields }))).toMatchObject({
      fusion: 'rrf',
      mmr: 0.5,
      multiQuery: true,
      hyde: true,
      selfCheck: true,
      granularity: 'parent',
    });
    const bare = create(retrievalV1.SearchRequestSchema, searchMessage(searchRequest.parse({ query: 'q' })));
    expect(bare).toMatchObject({ mode: '', topK: 0, fusion: '', granularity: '' });
    expect([bare.mmr, bare.rerank, bare.multiQuery, bare.hyde]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it.each([
    ['mmr', 1.1],
    ['mmr', 'much'],
    ['fusion', 'sum'],
    ['granularity', 'page'],
    ['hyde', 1],
    ['self_check', 'yes'],
    ['top_k', 101],
  ])('are refused by name: %s %s', (field, value) => {
    const { error } = searchRequest.safeParse({ query: 'q', [field]: value });
    expect(error!.issues.map(({ path }) => path.join('.'))).toEqual([field]);
  });
});

describe('the shapes of an answer', () => {
  const source = { id: 'd:1:0', documentId: 'd', version: 2n, score: 0.5, text: 't', start: 0, end: 1 };

  it('explain a result where retrieval did', () => {
    const plain = create(retrievalV1.ResultSchema, { source });
    expect(Object.keys(resultBody(plain))).not.toContain('dense_rank');
    const explained = create(retrievalV1.ResultSchema, { source, denseRank: 1, lexicalRank: 3, fusedScore: 0.5 });
    const body = resultSchema.parse(resultBody(explained));
    expect(body).toMatchObject({ dense_rank: 1, lexical_rank: 3, fused_score: 0.5 });
    expect(body.rerank_score).toBeUndefined();
  });

  it('tell what was dropped and whether the sources support it only to who asked', () => {
    const dropped = [create(retrievalV1.DroppedSchema, { id: 'x', documentId: 'd', version: 1n, reason: 'mmr' })];
    expect(droppedBody({}, dropped)).toEqual({});
    expect(droppedBody({ explain: true }, dropped)).toMatchObject({
      dropped: [{ id: 'x', version: 1, reason: 'mmr' }],
    });
    expect([supportedBody({}, undefined), supportedBody({ self_check: true }, undefined)]).toEqual([
      {},
      { supported: null },
    ]);
    expect(supportedBody({ self_check: true }, false)).toEqual({ supported: false });
  });

  it('say what an answer cost and whether it is whole', () => {
    const usage = { promptTokens: 10, completionTokens: 2, cost: 0.25 };
    const done = create(retrievalV1.AnsweredSchema, { usage, model: 'm', incomplete: true, fallbackUsed: true });
    expect(completion.parse(completionBody(done, 'r'))).toMatchObject({
      incomplete: true,
      fallback_used: true,
      usage: { prompt_tokens: 10, completion_tokens: 2, cost: 0.25 },
      conversation_id: null,
    });
    const free = create(retrievalV1.AnsweredSchema, { usage: { promptTokens: 1 } });
    expect(completionBody(free, 'r').usage).toMatchObject({ cost: null });
  });
});
