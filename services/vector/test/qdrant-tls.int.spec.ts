import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { createLogger } from '@ragmesh/observability';
import { CertificateAuthority, describeWithServer, type IssuedCertificate } from '@ragmesh/testing';
import { openQdrantStore } from '../src/adapters/qdrant/open-qdrant-store.js';
import { vectorConfig } from '../src/vector.config.js';
import { QdrantStandIn } from './qdrant-stand-in/qdrant-stand-in.js';

describeWithServer('openssl', 'Qdrant behind TLS that asks for certificates', () => {
  let folder: string;
  let authority: CertificateAuthority;
  let client: IssuedCertificate;
  let qdrant: QdrantStandIn;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-qdrant-tls-'));
    authority = CertificateAuthority.create(folder);
    client = authority.issue('vector');
    const [ca, cert, key] = [authority.file, ...Object.values(authority.issue('qdrant'))].map((file) =>
      readFileSync(file),
    );
    qdrant = await QdrantStandIn.start({ tls: { ca, cert, key, requestCert: true } });
  });
  afterAll(async () => {
    await qdrant.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Documents of a store that the service opens with these variables; it needs no database for that. */
  async function documents(files: Record<string, string>): Promise<unknown> {
    const config = loadConfig(vectorConfig, { VECTOR_STORE: 'qdrant', QDRANT_URL: qdrant.url, ...files });
    const rest = { logger: createLogger('vector', 'silent') } as Parameters<typeof openQdrantStore>[1];
    const store = openQdrantStore(config, rest);
    try {
      const found: unknown[] = [];
      for await (const page of store.documents(0)) found.push(...page);
      return found;
    } finally {
      store.onModuleDestroy();
    }
  }
  const trusted = () => ({ QDRANT_TLS_CA_FILE: authority.file });
  const certificate = () => ({ QDRANT_TLS_CERT_FILE: client.cert, QDRANT_TLS_KEY_FILE: client.key });

  it('answers who trusts it and shows a certificate', async () => {
    expect(await documents({ ...trusted(), ...certificate() })).toEqual([]);
  });

  it.each(['QDRANT_TLS_CERT_FILE', 'QDRANT_TLS_KEY_FILE'] as const)('is not asked with %s alone', async (name) => {
    const half = { ...trusted(), [name]: certificate()[name] };
    await expect(documents(half)).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
      message: 'QDRANT_TLS_CERT_FILE and QDRANT_TLS_KEY_FILE must be set together.',
    });
  });

  it('cannot be reached without the certificate, or without trust in its authority', async () => {
    const refused = { code: 'VECTOR.UNAVAILABLE' };
    await expect(documents(trusted())).rejects.toMatchObject(refused);
    await expect(documents(certificate())).rejects.toMatchObject(refused);
    await expect(documents({})).rejects.toMatchObject(refused);
  });

  it('is not asked in the clear where files are named', () => {
    const clear = { QDRANT_URL: qdrant.url.replace('https', 'http'), ...trusted() };
    expect(() => loadConfig(vectorConfig, clear)).toThrow(/QDRANT_URL must begin with https:/);
  });

  it('names the variables when certificate and key do not belong together', async () => {
    const other = authority.issue('other');
    const mixed = { QDRANT_TLS_CERT_FILE: client.cert, QDRANT_TLS_KEY_FILE: other.key };
    await expect(documents(mixed)).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
      message: expect.stringMatching(/QDRANT_TLS_CERT_FILE and QDRANT_TLS_KEY_FILE cannot be used/),
    });
  });
});
