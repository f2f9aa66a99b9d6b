import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { Calls } from '../api/calls.js';
import { setScope, type RequestScope } from '../http/request-scope.js';
import { EmbeddingsController } from './embeddings.controller.js';
import { ServedModels } from './served-models.js';

/** The embedding service while its model is away after some calls, and a smaller one stands in for who takes it. */
function embeddingAwayAfter(calls: number) {
  return {
    embed({ texts, withoutFallback }: { texts: string[]; withoutFallback?: boolean }) {
      const isAway = calls-- <= 0;
      if (isAway && withoutFallback) return Promise.reject(new RagmeshError('EMBEDDING.UNAVAILABLE', 'It is away.'));
      const vectors = new Uint8Array(texts.length * 4);
      return Promise.resolve({ vectors, dimension: 1, tokens: 1, model: isAway ? 'small@1' : 'own@1' });
    },
  };
}

function embed(model: string, input: string[], calls: number) {
  const embedding = embeddingAwayAfter(calls);
  const edge = { embedding, ownEmbedding: embedding, unary: () => ({ deadlineMs: 5_000 }) } as unknown as Calls;
  const request = { raw: {} } as FastifyReply['request'];
  setScope(request, { clientLeft: new AbortController().signal } as RequestScope);
  return new EmbeddingsController(edge, new ServedModels(edge)).embed({ model, input }, { request } as FastifyReply);
}

describe('vectors under the name of a model', () => {
  const many = Array.from({ length: 200 }, () => 'text');

  it('are all of that model', async () => {
    expect(await embed('own', many, 3)).toMatchObject({ model: 'own', data: { length: 200 } });
  });

  it.each([
    ['from the start', 0],
    ['after the first batch', 2],
  ])('are refused for now while it is away %s, never made by what stands in for it', async (_when, calls) => {
    await expect(embed('own', many, calls)).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
  });
});
