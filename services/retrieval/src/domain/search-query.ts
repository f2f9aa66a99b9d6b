import { invalidField, numberWithin, oneOf, wholeWithin } from './field-checks.js';
import { normaliseQuery } from './query-text.js';

const MODES = ['hybrid', 'dense', 'lexical'] as const;
/** The ways both legs become one list, the default first. */
export const FUSIONS = ['weighted', 'rrf'] as const;
const GRANULARITIES = ['chunk', 'parent'] as const;

/** Which legs a search uses. */
export type SearchMode = (typeof MODES)[number];
/** How the legs become one list. */
export type Fusion = (typeof FUSIONS)[number];
/** Whether a result is the chunk that was found or the section it stands in. */
export type Granularity = (typeof GRANULARITIES)[number];

const DEFAULT_COLLECTION = 'default';
const DEFAULT_TOP_K = 10;
/** Most results of one search. */
export const MAX_TOP_K = 1_000;

/** What decides how a search is made; each has a default and may have another one in a collection. */
export interface SearchOptions {
  readonly mode?: string;
  readonly topK?: number;
  readonly alpha?: number;
  readonly minScore?: number;
  readonly rerank?: boolean;
  readonly expand?: boolean;
  readonly fusion?: string;
  readonly mmr?: number;
  readonly multiQuery?: boolean;
  readonly hyde?: boolean;
  readonly selfCheck?: boolean;
  readonly granularity?: string;
}

/** A search as a caller writes it: an empty string or 0 where a field was left out. */
export interface SearchFields extends SearchOptions {
  readonly query: string;
  readonly collection: string;
  readonly filters?: Readonly<Record<string, unknown>>;
  readonly explain?: boolean;
  /** Whether no language model may be asked for it. */
  readonly withoutModels?: boolean;
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
  readonly fusion: Fusion;
  /** Share of relevance against novelty, 0..1; undefined leaves the order as it is. */
  readonly mmr: number | undefined;
  readonly multiQuery: boolean;
  /** Never in lexical mode, which has no vector to improve. */
  readonly hyde: boolean;
  readonly selfCheck: boolean;
  readonly granularity: Granularity;
  /** Whether results say how they came to their places, and what is missing why. */
  readonly explain: boolean;
  /** For whom its results hold, and as of which state of the collection. */
  readonly readers?: string;
  /** Whether that is as it was last heard, and what is found may be otherwise. */
  readonly isUnsure?: true;
  /** Whether it is made with half of what it would take, as {@link halved} has it. */
  readonly isHalved?: true;
}

/**
 * Checks a search and fills in its defaults: the request's own value, else the collection's, else the service's. Filters are
 * checked where they are compiled, in the vector service.
 * @param isJudged whether what is reranked gets scores of its own, from a model, which end at 1 in every mode.
 * @throws RagmeshError REQUEST.INVALID naming the field and its limit.
 */
export function parseSearchQuery(
  fields: SearchFields,
  defaultAlpha: number,
  collection: SearchOptions = {},
  isJudged = false,
): SearchQuery {
  const said = inherit(fields, collection);
  const mode = oneOf('mode', MODES, said.mode);
  return {
    text: normaliseQuery(fields.query),
    collection: collectionOf(fields),
    mode,
    topK: wholeWithin('top_k', [1, MAX_TOP_K], said.topK || DEFAULT_TOP_K),
    filters: fields.filters,
    alpha: numberWithin('alpha', [0, 1], said.alpha ?? defaultAlpha),
    minScore: leastScore(said, mode === 'lexical' && !(isJudged && isTrue(said.rerank))),
    rerank: isTrue(said.rerank),
    expand: isTrue(said.expand),
    fusion: oneOf('fusion', FUSIONS, said.fusion),
    mmr: numberWithin('mmr', [0, 1], said.mmr),
    multiQuery: isTrue(said.multiQuery),
    hyde: isTrue(said.hyde) && mode !== 'lexical',
    selfCheck: isTrue(said.selfCheck),
    granularity: oneOf('granularity', GRANULARITIES, said.granularity),
    explain: isTrue(fields.explain),
  };
}

/** BM25, the score of a plain lexical search, has no upper limit; every other score is at most 1. */
function leastScore({ minScore, multiQuery }: SearchOptions, isOfWords: boolean): number | undefined {
  const isUnlimited = isOfWords && !isTrue(multiQuery);
  if (minScore === undefined || (Number.isFinite(minScore) && (isUnlimited || minScore <= 1))) return minScore;
  throw invalidField(
    'min_score',
    isUnlimited
      ? 'must be a finite number'
      : 'must be at most 1, unless mode is lexical without multi_query and without a cross-encoder that reranks',
  );
}

/** What the request says, and the collection where the request says nothing. */
function inherit(fields: SearchFields, collection: SearchOptions): SearchOptions {
  const inherited = Object.entries(collection).filter(([name]) => isLeftOut(name, fields[name as keyof SearchOptions]));
  return inherited.length === 0 ? fields : { ...fields, ...Object.fromEntries(inherited) };
}

const isLeftOut = (name: string, value: unknown): boolean =>
  value === undefined || value === '' || (name === 'topK' && value === 0);

const isTrue = (flag: boolean | undefined): boolean => flag === true;

/** The collection that a search is made in. */
export const collectionOf = ({ collection }: Pick<SearchFields, 'collection'>): string =>
  collection || DEFAULT_COLLECTION;
