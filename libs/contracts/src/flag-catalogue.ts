/** One setting that may change while everything runs. */
export interface FlagSpec {
  readonly type: 'boolean' | 'number' | 'string';
  /** Who reads it. */
  readonly readBy: string;
  /** The variable that decides while it is not set. */
  readonly variable: string;
  readonly summary: string;
  /** What a value may be, in words, and whether this one is. */
  readonly expected: string;
  readonly allows: (value: unknown) => boolean;
}

const levels = ['trace', 'debug', 'info', 'warn', 'error'];

/**
 * Everything that can be set at `/v1/admin/flags`. Only what takes effect at once, in every process and without a restart,
 * belongs here.
 */
export const flagCatalogue = {
  log_level: {
    type: 'string',
    readBy: 'every service',
    variable: 'LOG_LEVEL',
    summary: 'Least level that is logged.',
    expected: `one of ${levels.join(', ')}`,
    allows: (value) => typeof value === 'string' && levels.includes(value),
  },
  rerank: {
    type: 'boolean',
    readBy: 'retrieval',
    variable: 'APP_RERANK_BACKEND',
    summary:
      'Whether searches that ask for it are reranked. Off: they answer in fused order, and say so in `degraded`.',
    expected: 'true or false',
    allows: (value) => typeof value === 'boolean',
  },
  search_alpha: {
    type: 'number',
    readBy: 'retrieval',
    variable: 'SEARCH_ALPHA',
    summary: 'Weight of the dense leg where neither the search nor its collection names one.',
    expected: 'a number from 0 to 1',
    allows: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  },
} as const satisfies Record<string, FlagSpec>;

export type FlagName = keyof typeof flagCatalogue;

/** The spec of a name, or undefined when this release does not know it. */
export const findFlag = (name: string): FlagSpec | undefined =>
  Object.hasOwn(flagCatalogue, name) ? flagCatalogue[name as FlagName] : undefined;
