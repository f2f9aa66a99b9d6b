import type { SearchQuery } from './search-query.js';

/** How `degraded` names that an answer was made from fewer chunks than it would have been. */
export const FEWER_CHUNKS = 'context';

/**
 * The search for an answer that is to take less work: half of its chunks, one at the least, and half of the candidates that are
 * read to find them. Also where the caller said how many: a shorter answer that says so in `degraded` is worth more to him than none.
 * @returns undefined where there is nothing to halve.
 */
export const halved = (query: SearchQuery): SearchQuery | undefined =>
  query.topK > 1 ? { ...query, topK: Math.ceil(query.topK / 2), isHalved: true } : undefined;

/** Candidates whose text is read when they are compared by it. */
const COMPARED_CANDIDATES = 50;

/** How many candidates a search compares by their text: with a larger `top_k`, that many. */
export const comparedCandidates = ({ topK, isHalved }: Pick<SearchQuery, 'topK' | 'isHalved'>): number =>
  Math.max(isHalved ? COMPARED_CANDIDATES / 2 : COMPARED_CANDIDATES, topK);
