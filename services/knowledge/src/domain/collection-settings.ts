import { RagmeshError } from '@ragmesh/errors';

/** What searches of a collection take that say nothing else; unset: what the installation is configured with. */
export interface RetrievalDefaults {
  readonly mode?: string;
  readonly topK?: number;
  readonly alpha?: number;
  readonly minScore?: number;
  readonly fusion?: string;
  readonly mmr?: number;
  readonly rerank?: boolean;
  readonly expand?: boolean;
  readonly multiQuery?: boolean;
  readonly hyde?: boolean;
  readonly selfCheck?: boolean;
  readonly granularity?: string;
}

/** How a reindex that says nothing else cuts documents, in tokens. */
export interface ChunkingDefaults {
  readonly size: number;
  readonly overlap: number;
}

export interface CollectionSettings {
  readonly retrieval?: RetrievalDefaults;
  readonly chunking?: ChunkingDefaults;
}

const MODES = ['hybrid', 'dense', 'lexical'];
const GRANULARITIES = ['chunk', 'parent'];
const MAX_TOP_K = 100;
const [MIN_CHUNK, MAX_CHUNK] = [32, 2048];

/** @throws RagmeshError `REQUEST.INVALID` naming the field and its limit. */
export function checkRetrievalDefaults(defaults: RetrievalDefaults): RetrievalDefaults {
  const { mode, topK, alpha, mmr, minScore, fusion, granularity } = defaults;
  if (mode !== undefined && !MODES.includes(mode)) throw invalid('defaults.mode', `must be one of ${MODES.join(', ')}`);
  if (topK !== undefined && (topK < 1 || topK > MAX_TOP_K))
    throw invalid('defaults.top_k', `must be from 1 to ${MAX_TOP_K}`, MAX_TOP_K);
  for (const [name, share] of Object.entries({ alpha, mmr, min_score: minScore })) {
    if (share !== undefined && !(share >= 0 && share <= 1)) throw invalid(`defaults.${name}`, 'must be from 0 to 1', 1);
  }
  if (fusion !== undefined && !/^[a-z][a-z_-]{0,39}$/.test(fusion))
    throw invalid('defaults.fusion', 'must be the name of a way to merge legs', 40);
  if (granularity !== undefined && !GRANULARITIES.includes(granularity))
    throw invalid('defaults.granularity', `must be one of ${GRANULARITIES.join(', ')}`);
  return defaults;
}

/** @throws RagmeshError `REQUEST.INVALID` naming the field and its limit. */
export function checkChunkingDefaults({ size, overlap }: ChunkingDefaults): ChunkingDefaults {
  if (size < MIN_CHUNK || size > MAX_CHUNK)
    throw invalid('chunking.size', `must be between ${MIN_CHUNK} and ${MAX_CHUNK} tokens`, MAX_CHUNK);
  if (overlap < 0 || overlap * 2 >= size)
    throw invalid('chunking.overlap', 'must be 0 or more and below half of chunking.size', size / 2);
  return { size, overlap };
}

const invalid = (field: string, what: string, limit?: number): RagmeshError =>
  new RagmeshError('REQUEST.INVALID', `Field ${field} ${what}.`, { field, ...(limit === undefined ? {} : { limit }) });
