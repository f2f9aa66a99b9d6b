import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { defineConfig, loadConfig } from '@ragmesh/config';
import { RedisServer } from '@ragmesh/local-servers';
import { CertificateAuthority, describeWithServer, eventually, type IssuedCertificate } from '@ragmesh/testing';
import { RedisLevel, redisAddress, redisVariables } from '../src/index.js';

describeWithServer(['redis', 'openssl'], 'Redis behind TLS', () => {
  let folder: string;
  let server: RedisServer;
  let authority: CertificateAuthority;
  let client: IssuedCertificate;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-redis-tls-'));
    authority = CertificateAuthority.create(folder);
    client = authority.issue('client');
    const { cert, key } = authority.issue('redis');
    server = await RedisServer.start({ dataDir: folder, tls: { ca: authority.file, cert, key } });
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A level as a service opens it, and the warnings it gave. */
  async function open(files: Record<string, string>): Promise<{ level: RedisLevel; warnings: object[] }> {
    const address = redisAddress(loadConfig(defineConfig(redisVariables), { REDIS_URL: server.url, ...files }))!;
    const warnings: object[] = [];
    const logger = { warn: (fields: object) => warnings.push(fields) } as never;
    return { level: await RedisLevel.open({ ...address, service: 'spec', namespace: 'tls', logger }), warnings };
  }
  const trusted = () => ({ REDIS_TLS_CA_FILE: authority.file });

  it('is used with the configured authority and certificate', async () => {
    const { level } = await open({
      ...trusted(),
      ...{ REDIS_TLS_CERT_FILE: client.cert, REDIS_TLS_KEY_FILE: client.key },
    });
    await eventually('Redis is usable', () => level.isUsable);
    const read = await eventually('Redis answers in time', () => level.read(['some-key']));
    expect(read).toMatchObject({ values: [undefined] });
    await level.close();
  });

  it('is not used, and says so once, without the certificate it asks for', async () => {
    const { level, warnings } = await open(trusted());
    await eventually('the warning', () => warnings.length > 0);
    expect(level.isUsable).toBe(false);
    await level.close();
  });

  it('is not asked in the clear where files are named', () => {
    const clear = { REDIS_URL: server.url.replace('rediss', 'redis'), ...trusted() };
    const config = loadConfig(defineConfig(redisVariables), clear);
    expect(() => redisAddress(config)).toThrow(/REDIS_URL must begin with rediss:/);
  });

  it('is not used when nobody who is trusted vouches for it', async () => {
    const { level, warnings } = await open({ REDIS_TLS_CERT_FILE: client.cert, REDIS_TLS_KEY_FILE: client.key });
    await eventually('the warning', () => warnings.length > 0);
    expect(warnings).toEqual([{ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) }]);
    expect(level.isUsable).toBe(false);
    await level.close();
  });
});
