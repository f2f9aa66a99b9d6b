import { RagmeshError } from '@ragmesh/errors';
import { normaliseQuery } from './query-text.js';

/** Which legs a search uses. */
export type SearchMode = 'hybrid' | 'dense' | 'lexical';

const MODES: readonly SearchMode[] = ['hybrid', 'dense', 'lexical'];
const DEFAULT_COLLECTION = 'default';
const DEFAULT_TOP_K = 10;
/** Most results of one search. */
export const MAX_TOP_K = 1_000;

/** A search as a caller writes it: an empty string or 0 where a field was left out. */
export interface SearchFields {
  readonly query: string;
  readonly collection: string;
  readonly mode: string;
  readonly topK: number;
  readonly filters?: Readonly<Record<string, unknown>>;
  readonly alpha?: number;
  readonly minScore?: number;
  readonly rerank?: boolean;
  readonly expand?: boolean;
  readonly explain?: boolean;
}

/** A search with every field checked and every default filled in. */
export interface SearchQuery {
  readonly text: string;
  readonly collection: string;
  readonly mode: SearchMode;
  readonly topK: number;
  readonly filters: Readonly<Record<string, unknown>> | undefined;
  /** Share of the dense leg in hybrid mode, 0..1. */
  readonly alpha: number;
  readonly minScore: number | undefined;
  readonly rerank: boolean;
  readonly expand: boolean;
  /** Whether results say what each leg gave them. */
  readonly explain: boolean;
}

/**
 * Checks a search and fills in its defaults. Filters are checked where they are compiled, in the vector service.
 * @throws RagmeshError REQUEST.INVALID naming the field and its limit.
 */
export function parseSearchQuery(fields: SearchFields, defaultAlpha: number): SearchQuery {
  const { alpha = defaultAlpha, minScore } = fields;
  if (!(alpha >= 0 && alpha <= 1)) throw invalid('alpha', 'must be a number from 0 to 1');
  if (minScore !== undefined && !Number.isFinite(minScore)) throw invalid('min_score', 'must be a finite number');
  return {
    text: normaliseQuery(fields.query),
    collection: fields.collection || DEFAULT_COLLECTION,
    mode: modeOf(fields),
    topK: topKOf(fields),
    filters: fields.filters,
    alpha,
    minScore,
    rerank: fields.rerank ?? false,
    expand: fields.expand ?? false,
    explain: fields.explain ?? false,
  };
}

function modeOf({ mode }: SearchFields): SearchMode {
  const known = MODES.find((name) => name === (mode || 'hybrid'));
  if (!known) throw invalid('mode', `must be one of ${MODES.join(', ')}`);
  return known;
}

function topKOf({ topK }: SearchFields): number {
  if (topK === 0) return DEFAULT_TOP_K;
  if (Number.isInteger(topK) && topK >= 1 && topK <= MAX_TOP_K) return topK;
  throw invalid('top_k', `must be a whole number from 1 to ${MAX_TOP_K}`);
}

function invalid(field: string, rule: string): RagmeshError {
  return new RagmeshError('REQUEST.INVALID', `The field ${field} ${rule}.`, { field });
}
