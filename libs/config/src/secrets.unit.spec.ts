import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { defineConfig, effectiveSettings, file, loadConfig, secret, string, unknownNames, url } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'ragmesh-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

const written = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const definition = defineConfig({
  RAGMESH_TOKEN: secret().optional().describe('Key of something'),
  DATABASE_URL: url('postgresql').secret().default('postgresql://default:d3fault@localhost/'),
  QDRANT_URL: url('http', 'https').optional().describe('Vector store'),
  LOG_LEVEL: string().default('info').describe('Least level'),
});

const faultsOf = (env: Record<string, string>): string => {
  try {
    loadConfig(definition, env);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a fault');
};

describe('secrets from files', () => {
  it('reads NAME_FILE and cuts the line end that editors put there', () => {
    const env = {
      RAGMESH_TOKEN_FILE: written('token', '  s3cret with spaces \r\n\n'),
      DATABASE_URL_FILE: written('url', 'postgresql://ragmesh:pw@db/ragmesh\n'),
    };
    const config = loadConfig(definition, env);
    expect(config.RAGMESH_TOKEN).toBe('  s3cret with spaces ');
    expect(config.DATABASE_URL).toBe('postgresql://ragmesh:pw@db/ragmesh');
    expect(unknownNames([definition], env)).toEqual([]);
  });

  it('says which variable and which file when it cannot be read', () => {
    mkdirSync(join(folder, 'a-folder'));
    const message = faultsOf({
      RAGMESH_TOKEN_FILE: join(folder, 'missing'),
      DATABASE_URL_FILE: join(folder, 'a-folder'),
    });
    expect(message).toContain(`RAGMESH_TOKEN_FILE names a file that cannot be read (ENOENT): ${folder}/missing`);
    expect(message).toContain('DATABASE_URL_FILE names a file that cannot be read (EISDIR)');
    expect(faultsOf({ RAGMESH_TOKEN_FILE: written('empty', '\n') })).toContain(
      'RAGMESH_TOKEN_FILE names an empty file',
    );
    expect(faultsOf({ RAGMESH_TOKEN_FILE: written('huge', 'x'.repeat(70_000)) })).toContain('more than 65536 bytes');
  });

  it('refuses a secret that is given twice', () => {
    const message = faultsOf({ RAGMESH_TOKEN: 'marker-one', RAGMESH_TOKEN_FILE: written('twice', 'marker-two') });
    expect(message).toContain('RAGMESH_TOKEN and RAGMESH_TOKEN_FILE are both set; keep one');
    expect(message).not.toMatch(/marker-/);
  });

  it('never repeats what a file held, nor a password in a URL that is no secret', () => {
    const message = faultsOf({
      DATABASE_URL_FILE: written('bad-url', 'mysql://root:marker-password@db'),
      QDRANT_URL: 'ftp://user:marker-password@qdrant',
    });
    expect(message).toContain('DATABASE_URL must be a URL that begins with postgresql:// (its value is secret)');
    expect(message).toContain('(is "ftp://***@qdrant")');
    expect(message).not.toContain('marker-password');
  });

  it('knows no NAME_FILE of what is no secret', () => {
    const settings = defineConfig({ RAGMESH_MODE: string().default('mesh') });
    expect(unknownNames([settings], { RAGMESH_MODE_FILE: '/x' })).toHaveLength(1);
  });
});

describe('effectiveSettings', () => {
  it('shows value and source of everything, and of secrets only whether they are set', () => {
    const settings = effectiveSettings(definition, {
      RAGMESH_TOKEN_FILE: written('shown', 'marker-token'),
      QDRANT_URL: 'https://user:marker-password@qdrant:6333/',
    });
    expect(settings).toEqual([
      expect.objectContaining({ name: 'RAGMESH_TOKEN', source: 'file', isSecret: true, isSet: true, value: undefined }),
      expect.objectContaining({ name: 'DATABASE_URL', source: 'default', isSet: true, value: undefined }),
      expect.objectContaining({ name: 'QDRANT_URL', source: 'env', isSet: true, value: 'https://***@qdrant:6333/' }),
      expect.objectContaining({ name: 'LOG_LEVEL', source: 'default', value: 'info', description: 'Least level' }),
    ]);
    expect(JSON.stringify(settings)).not.toMatch(/marker|d3fault/);
  });
});

describe('file', () => {
  it('must be there', () => {
    const certificates = defineConfig({ TLS_CERT_FILE: file().optional() });
    const path = written('cert.pem', 'x');
    expect(loadConfig(certificates, { TLS_CERT_FILE: path }).TLS_CERT_FILE).toBe(path);
    expect(() => loadConfig(certificates, { TLS_CERT_FILE: folder })).toThrow(
      'TLS_CERT_FILE must be a file that this process can read',
    );
  });
});
