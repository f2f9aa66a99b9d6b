import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  bool,
  bytes,
  configTable,
  defineConfig,
  duration,
  int,
  loadConfig,
  oneOf,
  readEnvironment,
  secret,
  string,
  timeout,
  unknownNames,
  url,
} from './index.js';

const definition = defineConfig({
  SERVER_PORT: int({ min: 1, max: 65_535 }).default(8080).describe('Port of the HTTP server'),
  DOCUMENT_MAX_BYTES: bytes().default('25mb').describe('Largest upload'),
  REQUEST_TIMEOUT_SECONDS: duration({ min: 1 }).default('1m').describe('Deadline of a request'),
  RAGMESH_MODE: oneOf('standalone', 'mesh').default('standalone').describe('How the services run'),
  QDRANT_URL: url('http', 'https').optional().describe('Vector store'),
  OPENAI_API_KEY: secret().describe('Key of the language model'),
  TRACING: bool().default(false).describe('Export spans | traces'),
  CHUNK_TOKENS: int().default(512).describe('Chunk length'),
  CHUNK_OVERLAP_TOKENS: int().default(64).describe('Overlap'),
}).check('CHUNK_OVERLAP_TOKENS must be smaller than CHUNK_TOKENS', (c) => c.CHUNK_OVERLAP_TOKENS < c.CHUNK_TOKENS);

const messageOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a fault');
};

describe('loadConfig', () => {
  it('reads written forms and falls back to defaults', () => {
    const config = loadConfig(definition, {
      OPENAI_API_KEY: 'k',
      REQUEST_TIMEOUT_SECONDS: '250s',
      TRACING: 'Yes',
      SERVER_PORT: ' ',
    });
    expect(config).toEqual({
      SERVER_PORT: 8080,
      DOCUMENT_MAX_BYTES: 25 * 1024 * 1024,
      REQUEST_TIMEOUT_SECONDS: 250,
      RAGMESH_MODE: 'standalone',
      QDRANT_URL: undefined,
      OPENAI_API_KEY: 'k',
      TRACING: true,
      CHUNK_TOKENS: 512,
      CHUNK_OVERLAP_TOKENS: 64,
    });
  });

  it('reports every fault at once, each with its variable', () => {
    const env = {
      SERVER_PORT: '70000',
      DOCUMENT_MAX_BYTES: 'big',
      RAGMESH_MODE: 'cloud',
      QDRANT_URL: 'ftp://x',
      TRACING: 'maybe',
    };
    const message = messageOf(() => loadConfig(definition, env, ['RAGMESH_MOD is unknown']));
    expect(message).toContain('7 faults');
    expect(message).toContain('RAGMESH_MOD is unknown');
    expect(message).toContain('SERVER_PORT must be a whole number from 1 to 65535 (is "70000")');
    expect(message).toContain('DOCUMENT_MAX_BYTES must be a size such as 25mb (is "big")');
    expect(message).toContain('RAGMESH_MODE must be one of standalone, mesh');
    expect(message).toContain('QDRANT_URL must be a URL that begins with http:// or https://');
    expect(message).toContain('TRACING must be true or false');
    expect(message).toContain('OPENAI_API_KEY is required: Key of the language model');
  });

  it('refuses a wait that is longer than a timer can be, and names the longest', () => {
    const waiting = defineConfig({
      STREAM_TIMEOUT: timeout({ min: 1 }),
      PAUSE: timeout({ max: 604_800 }),
      KEPT: duration(),
    });
    const config = { STREAM_TIMEOUT: '1d', PAUSE: '7d', KEPT: '90d' };
    expect(loadConfig(waiting, config)).toEqual({ STREAM_TIMEOUT: 86_400, PAUSE: 604_800, KEPT: 7_776_000 });
    const message = messageOf(() => loadConfig(waiting, { STREAM_TIMEOUT: '30d', PAUSE: '8d', KEPT: '90d' }));
    expect(message).toContain('STREAM_TIMEOUT must be a time span such as 30s or 5m from 1 to 86400 (is "30d")');
    expect(message).toContain('PAUSE must be a time span such as 30s or 5m from 0 to 604800 (is "8d")');
  });

  it('checks rules between variables', () => {
    const env = { OPENAI_API_KEY: 'k', CHUNK_TOKENS: '64' };
    expect(messageOf(() => loadConfig(definition, env))).toContain('CHUNK_OVERLAP_TOKENS must be smaller');
  });

  it('never prints a secret', () => {
    const guarded = defineConfig({
      TOKEN: string({ matches: /^sk-/, expected: 'a key that begins with sk-' }).secret(),
    });
    const message = messageOf(() => loadConfig(guarded, { TOKEN: 'hunter2' }));
    expect(message).toContain('TOKEN must be a key that begins with sk-');
    expect(message).not.toContain('hunter2');
  });
});

describe('unknownNames', () => {
  it('suggests the name that was probably meant and leaves other programs alone', () => {
    const env = { RAGMESH_MODUS: 'x', APP_ZZZZZZZZ: 'y', PATH: '/bin', RAGMESH_MODE: 'mesh' };
    expect(unknownNames([definition], env)).toEqual([
      'RAGMESH_MODUS is unknown; did you mean RAGMESH_MODE?',
      'APP_ZZZZZZZZ is unknown',
    ]);
  });
});

describe('readEnvironment', () => {
  it('lets the process environment win over the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ragmesh-config-'));
    const file = join(folder, '.env');
    writeFileSync(file, '# local\nSERVER_PORT=9000\nLOG_LEVEL="debug"\n');
    expect(readEnvironment(file, { SERVER_PORT: '9001' })).toEqual({ SERVER_PORT: '9001', LOG_LEVEL: 'debug' });
    rmSync(folder, { recursive: true });
  });
});

describe('configTable', () => {
  it('lists name, type, default and meaning, without secrets', () => {
    const table = configTable(definition);
    expect(table).toContain('| `DOCUMENT_MAX_BYTES` | bytes | `25mb` | Largest upload |');
    expect(table).toContain(
      '| `OPENAI_API_KEY` or `OPENAI_API_KEY_FILE` | secret | **required** | Key of the language model |',
    );
    expect(table).toContain('Export spans \\| traces');
  });
});
