import {
  defineConfig,
  int,
  isTlsUsed,
  oneOf,
  secret,
  string,
  timeout,
  tlsFileVariables,
  url,
  type ConfigOf,
} from '@ragmesh/config';

/** What the vector service reads from its environment. */
export const vectorConfig = defineConfig({
  VECTOR_STORE: oneOf('embedded', 'qdrant', 'pgvector')
    .default('embedded')
    .describe(
      'Where vectors are searched: `embedded` keeps indexes of the rows in memory, `qdrant` and `pgvector` ask a server',
    ),
  VECTOR_SECOND_STORE: oneOf('none', 'pgvector')
    .default('none')
    .describe(
      'What answers searches while Qdrant is away: `pgvector` has them searched in the database that keeps the rows, which must have the extension; with `none` they are refused',
    ),
  QDRANT_URL: url('http', 'https').optional().describe('Qdrant, for `VECTOR_STORE=qdrant`'),
  QDRANT_API_KEY: secret().optional().describe('Key Qdrant asks for'),
  ...tlsFileVariables('QDRANT', 'Qdrant at an https URL'),
  QDRANT_COLLECTION: string({ matches: /^[A-Za-z0-9_-]{1,64}$/, expected: '1 to 64 letters, digits, _ or -' })
    .default('ragmesh')
    .describe('What the names of all collections and aliases in Qdrant begin with'),
  QDRANT_TIMEOUT: timeout({ min: 0.01 }).default('5s').describe('Longest wait for one answer of Qdrant'),
  QDRANT_AVERAGE_TERMS: int({ min: 1 })
    .default(150)
    .describe('Words of a usual chunk, with which BM25 compares lengths in Qdrant; a change needs a new generation'),
  RECONCILE_INTERVAL_SECONDS: timeout({ min: 0, max: 7 * 86_400 })
    .default('5m')
    .describe('Pause between two comparisons of the store with its rows; 0 turns them off'),
})
  .check(
    'QDRANT_URL must be set when VECTOR_STORE is qdrant',
    (config) => config.VECTOR_STORE !== 'qdrant' || config.QDRANT_URL !== undefined,
  )
  .check(
    'VECTOR_STORE must be qdrant when VECTOR_SECOND_STORE is pgvector',
    (config) => config.VECTOR_SECOND_STORE === 'none' || config.VECTOR_STORE === 'qdrant',
  )
  .check(
    'QDRANT_TLS_*_FILE are set, so QDRANT_URL must begin with https://',
    isTlsUsed('QDRANT', ({ QDRANT_URL }) => QDRANT_URL?.startsWith('https:') ?? false),
  );
export type VectorConfig = ConfigOf<typeof vectorConfig>;
