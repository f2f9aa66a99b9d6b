import {
  bool,
  bytes,
  defineConfig,
  duration,
  int,
  number,
  secret,
  string,
  timeout,
  url,
  type ConfigOf,
} from '@ragmesh/config';

/** The only reader of these variables. */
export const documentConfig = defineConfig({
  RAGMESH_DATA_DIR: string().default('.ragmesh').describe('Folder of everything that is kept: database, blobs, models'),
  DOCUMENT_MAX_BYTES: bytes().default('100mb').describe('Largest upload; above it DOCUMENT.TOO_LARGE'),
  CHUNK_SIZE: int({ min: 32, max: 2048 }).default(200).describe('Chunk length in tokens when an upload names none'),
  CHUNK_OVERLAP: int({ min: 0, max: 1024 })
    .default(20)
    .describe('Tokens that neighbouring chunks share when an upload names none'),
  PARSE_TIMEOUT: timeout()
    .default('60s')
    .describe('Longest time a file may take to be read; above it DOCUMENT.PARSE_TIMEOUT'),
  PARSE_MEMORY: bytes().default('512mb').describe('Most memory the process that reads a file may take'),
  PARSE_MAX_PAGES: int({ min: 1 }).default(5000).describe('Most pages, slides or sheets of a file'),
  PARSE_MAX_INFLATED: bytes().default('500mb').describe('Most bytes a compressed file may inflate to'),
  PARSE_CONCURRENCY: int({ min: 1, max: 32 }).default(2).describe('Files read at once'),
  INGESTION_IN_FLIGHT: int({ min: 1, max: 10_000 })
    .default(64)
    .describe(
      'Documents of one tenant on their way at a time while no other tenant has any; further ones wait. More keep many copies busy',
    ),
  INGESTION_IN_FLIGHT_SHARED: int({ min: 1, max: 10_000 })
    .default(1)
    .describe(
      'The same for each tenant while several upload, until a minute after: fewer let a single upload through sooner, more make better use of many copies',
    ),
  REINDEX_IN_FLIGHT: int({ min: 1, max: 1000 })
    .default(16)
    .describe('Documents of a reindex on their way at a time; fewer leave more room for uploads'),
  REINDEX_QUESTIONS: int({ min: 0, max: 200 })
    .default(50)
    .describe('Questions made from documents that a new generation must answer before readers see it; 0 asks none'),
  REINDEX_MIN_OVERLAP: number({ min: 0, max: 1 })
    .default(0.5)
    .describe('Share of the documents found before that a new generation must find'),
  REINDEX_MIN_SELF_RETRIEVAL: number({ min: 0, max: 1 })
    .default(0.8)
    .describe('Share of questions that must find their own document, unless readers have less'),
  REINDEX_KEEP_PREVIOUS: duration({ min: 0 })
    .default('24h')
    .describe('How long the generation readers saw before is kept for a rollback'),
  S3_BUCKET: string().optional().describe('Bucket that keeps uploads; without it they lie in RAGMESH_DATA_DIR'),
  S3_ENDPOINT: url('http', 'https').optional().describe("Address of the S3 server; without it Amazon's of S3_REGION"),
  S3_REGION: string().default('us-east-1').describe('Region of the bucket; most other servers take any'),
  S3_ACCESS_KEY_ID: string().optional().describe("Key; without it the machine's role or the AWS environment is used"),
  S3_SECRET_ACCESS_KEY: secret().optional().describe('Secret of that key'),
  S3_FORCE_PATH_STYLE: bool()
    .default(true)
    .describe('Names the bucket in the path instead of the host name; servers other than Amazon need it'),
})
  .check('CHUNK_OVERLAP must be below half of CHUNK_SIZE', (config) => config.CHUNK_OVERLAP * 2 < config.CHUNK_SIZE)
  .check(
    'S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be set together',
    (config) => (config.S3_ACCESS_KEY_ID === undefined) === (config.S3_SECRET_ACCESS_KEY === undefined),
  );

export type DocumentConfig = ConfigOf<typeof documentConfig>;
