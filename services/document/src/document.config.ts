import { bytes, defineConfig, duration, int, string, type ConfigOf } from '@ragmesh/config';

/** The only reader of these variables. */
export const documentConfig = defineConfig({
  RAGMESH_DATA_DIR: string().default('.ragmesh').describe('Folder of everything that is kept: database, blobs, models'),
  DOCUMENT_MAX_BYTES: bytes().default('100mb').describe('Largest upload; above it DOCUMENT.TOO_LARGE'),
  CHUNK_SIZE: int({ min: 32, max: 2048 }).default(200).describe('Chunk length in tokens when an upload names none'),
  CHUNK_OVERLAP: int({ min: 0, max: 1024 })
    .default(20)
    .describe('Tokens that neighbouring chunks share when an upload names none'),
  PARSE_TIMEOUT: duration()
    .default('60s')
    .describe('Longest time a file may take to be read; above it DOCUMENT.PARSE_TIMEOUT'),
  PARSE_MEMORY: bytes().default('512mb').describe('Most memory the process that reads a file may take'),
  PARSE_MAX_PAGES: int({ min: 1 }).default(5000).describe('Most pages, slides or sheets of a file'),
  PARSE_MAX_INFLATED: bytes().default('500mb').describe('Most bytes a compressed file may inflate to'),
  PARSE_CONCURRENCY: int({ min: 1, max: 32 }).default(2).describe('Files read at once'),
}).check('CHUNK_OVERLAP must be below half of CHUNK_SIZE', (config) => config.CHUNK_OVERLAP * 2 < config.CHUNK_SIZE);

export type DocumentConfig = ConfigOf<typeof documentConfig>;
