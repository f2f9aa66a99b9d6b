import { RagmeshError } from '@ragmesh/errors';
import { keepable } from './turn.js';

export type Rating = 'up' | 'down';

/** What a reader thinks of an answer. */
export interface Judgement {
  /** The request the answer was given to. */
  readonly requestId: string;
  readonly rating: Rating;
  readonly comment: string;
}

const MAX_REQUEST_ID = 200;
const MAX_COMMENT = 4_000;

/** @throws RagmeshError REQUEST.INVALID that names the field and its limit. */
export function checkJudgement(input: { requestId: string; rating: string; comment: string }): Judgement {
  const { requestId, rating, comment } = input;
  if (requestId === '' || requestId.length > MAX_REQUEST_ID || /[\p{Cc}\p{Cs}]/u.test(requestId)) {
    const message = `The field request_id must have 1 to ${MAX_REQUEST_ID} characters and no control character.`;
    throw new RagmeshError('REQUEST.INVALID', message, { field: 'request_id', limit: MAX_REQUEST_ID });
  }
  if (rating !== 'up' && rating !== 'down') {
    throw new RagmeshError('REQUEST.INVALID', 'The field rating must be up or down.', { field: 'rating' });
  }
  if (comment.length > MAX_COMMENT) {
    const message = `The field comment must be at most ${MAX_COMMENT} characters long.`;
    throw new RagmeshError('REQUEST.INVALID', message, { field: 'comment', limit: MAX_COMMENT });
  }
  return { requestId, rating, comment: keepable(comment) };
}
