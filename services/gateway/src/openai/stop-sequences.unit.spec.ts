import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { retrievalV1 } from '@ragmesh/contracts';
import { wholeAnswer } from '../api/whole-answer.js';
import { completionBody, newCompletion } from './chat-completion.js';
import { endingAt } from './stop-sequences.js';

const text = 'Bogs cover land [1].\n\nObservation: they store carbon [2].';

async function* answer(pieceLength: number): AsyncGenerator<retrievalV1.QueryResponse> {
  for (let at = 0; at < text.length; at += pieceLength)
    yield create(retrievalV1.QueryResponseSchema, {
      event: { case: 'delta', value: text.slice(at, at + pieceLength) },
    });
  for (const index of [1, 2])
    yield create(retrievalV1.QueryResponseSchema, { event: { case: 'citation', value: { index } } });
  const usage = { promptTokens: 2, completionTokens: 12 };
  yield create(retrievalV1.QueryResponseSchema, { event: { case: 'done', value: { incomplete: true, usage } } });
}

const completion = async (stops: string[], pieceLength: number) =>
  completionBody(newCompletion('ragmesh'), await wholeAnswer(endingAt(answer(pieceLength), stops)));

describe('an answer with stop sequences', () => {
  it.each([1, 2, 3, 7, 100])(
    'ends before the first of them in pieces of %d, with what is cited until there',
    async (length) => {
      expect(await completion(['carbon', '\nObservation:'], length)).toMatchObject({
        choices: [{ message: { content: 'Bogs cover land [1].\n' }, finish_reason: 'stop' }],
        citations: [{ index: 1 }],
        usage: { completion_tokens: 12 },
      });
    },
  );

  it.each([1, 4, 100])(
    'is whole where none of them comes, pieces of %d that begin like one included',
    async (length) => {
      expect(await completion(['[2].\n', 'Obsess'], length)).toMatchObject({
        choices: [{ message: { content: text }, finish_reason: 'length' }],
        citations: [{ index: 1 }, { index: 2 }],
      });
    },
  );
});
