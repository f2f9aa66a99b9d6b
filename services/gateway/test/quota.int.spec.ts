import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisServer } from '@ragmesh/local-servers';
import { embeddingService } from '@ragmesh/service-embedding';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { describeWithServer, eventually, withinAttempts } from '@ragmesh/testing';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';
import { AUDIENCE, ISSUER, startIdentityProvider, type IdentityProvider } from './identity-provider.js';

const TENANT_LIMIT = 12;
const KEY_LIMIT = 4;
let provider: IdentityProvider;
beforeAll(async () => void (provider = await startIdentityProvider()));
afterAll(() => provider.close());

const start = (environment: Record<string, string> = {}, ...behind: readonly unknown[]): Promise<EdgeAlone> =>
  startEdgeAlone(
    {
      AUTH_MODE: 'jwt',
      AUTH_JWT_JWKS_URL: provider.jwksUrl,
      AUTH_JWT_ISSUER: ISSUER,
      AUTH_JWT_AUDIENCE: AUDIENCE,
      QUOTA_TENANT_REQUESTS_PER_MINUTE: String(TENANT_LIMIT),
      QUOTA_KEY_REQUESTS_PER_MINUTE: String(KEY_LIMIT),
      ...environment,
    },
    [knowledgeService, ...behind],
  );

type Roles = readonly string[];
/** Sends requests as one subject of a tenant. */
async function caller(edge: EdgeAlone, tenant: string, sub: string, roles: Roles = ['admin', 'operator']) {
  const token = await provider.token({ tenant, sub, roles: [...roles] });
  return (path: string, method = 'GET', body?: unknown): Promise<Response> =>
    fetch(edge.url + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}
const reading = '/v1/documents/a';
const problem = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>;
const statusesOf = async (send: () => Promise<Response>, times: number): Promise<number[]> => {
  const statuses: number[] = [];
  for (let count = 0; count < times; count += 1) statuses.push((await send()).status);
  return statuses;
};

describe('quotas in requests', () => {
  let edge: EdgeAlone;
  beforeAll(async () => void (edge = await start()));
  afterAll(() => edge.close());

  it('say on every answer what is left, and refuse what is too much with the time to wait', async () => {
    const ada = await caller(edge, 'acme', 'ada');
    const first = await ada(reading);
    expect(first.status).toBe(503); // nobody behind the edge; it was let in
    expect(first.headers.get('ratelimit-policy')).toBe('"key-requests";q=4;w=60, "tenant-requests";q=12;w=60');
    expect(first.headers.get('ratelimit')).toMatch(
      /^"key-requests";r=3;t=(60|5\d), "tenant-requests";r=11;t=(60|5\d)$/,
    );
    expect(await statusesOf(() => ada(reading), KEY_LIMIT - 1)).toEqual([503, 503, 503]);
    const refused = await ada('/v1/search', 'POST', { query: 'x' });
    expect(refused.headers.get('ratelimit')).toContain('"key-requests";r=0;');
    const wait = Number(refused.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(50);
    expect(await problem(refused)).toMatchObject({
      status: 429,
      code: 'QUOTA.REQUESTS_EXCEEDED',
      retryable: true,
      retry_after: wait,
      limit: KEY_LIMIT,
    });
  });

  it('are kept for each caller and each tenant, and what a caller was refused does not use up the tenant', async () => {
    const ben = await caller(edge, 'bolt', 'ben');
    await statusesOf(() => ben(reading), 3 * TENANT_LIMIT);
    for (const sub of ['cleo', 'dora']) {
      const other = await caller(edge, 'bolt', sub);
      expect(await statusesOf(() => other(reading), KEY_LIMIT)).toEqual([503, 503, 503, 503]);
    }
    const late = await (await caller(edge, 'bolt', 'emil'))(reading);
    expect(await problem(late)).toMatchObject({ code: 'QUOTA.REQUESTS_EXCEEDED', limit: TENANT_LIMIT });
    expect((await (await caller(edge, 'cork', 'ben'))(reading)).status).toBe(503);
  });

  it('are worded as the clients of a route know it', async () => {
    const ada = await caller(edge, 'acme', 'ada');
    const refused = await ada('/v1/chat/completions', 'POST', {});
    expect(refused.headers.get('retry-after')).not.toBeNull();
    expect(await problem(refused)).toMatchObject({
      error: { type: 'rate_limit_error', code: 'QUOTA.REQUESTS_EXCEEDED' },
    });
  });

  it('leave the way to more quota, probes and metrics open', async () => {
    const ada = await caller(edge, 'acme', 'ada');
    for (const path of ['/v1/admin/quotas', '/metrics', '/healthz']) {
      const answer = await ada(path);
      expect({ path, status: answer.status, header: answer.headers.get('ratelimit') }).toEqual({
        path,
        status: 200,
        header: null,
      });
    }
    expect(await (await ada('/metrics')).text()).toMatch(
      /ragmesh_quota_refusals_total\{[^}]*scope="key"[^}]*unit="requests"[^}]*\} \d/,
    );
  });

  it('hold where more is given, too, for whom that way is not meant, and leave no trace of what they refuse', async () => {
    const reader = await caller(edge, 'erin', 'pat', ['reader']);
    const statuses = await statusesOf(() => reader('/v1/admin/quotas'), 2 * KEY_LIMIT);
    expect(statuses).toEqual([...Array<number>(KEY_LIMIT).fill(403), ...Array<number>(KEY_LIMIT).fill(429)]);
    const { rows } = await edge.database.query("SELECT FROM audit_entry WHERE tenant = 'erin'");
    expect(rows).toHaveLength(KEY_LIMIT);
  });

  it('are set for one tenant by operators, hold at once, and go back to the configuration', async () => {
    const operator = await caller(edge, 'mesh', 'root');
    const [kim, lou] = [await caller(edge, 'dale', 'kim'), await caller(edge, 'dale', 'lou', ['admin'])];
    const set = (body: unknown): Promise<Response> => operator('/v1/admin/quotas?tenant=dale', 'PUT', body);
    const shown = await problem(await set({ requests_per_minute: 2, tokens_per_day: 0 }));
    expect(shown).toMatchObject({
      tenant: 'dale',
      key: null,
      requests_per_minute: { set: 2, limit: 2, used: 0 },
      tokens_per_day: { set: 0, limit: null, used: 0 },
      set_by: 'jwt:root',
    });
    expect(await statusesOf(() => kim(reading), 3)).toEqual([503, 503, 429]);
    expect(await problem(await lou('/v1/admin/quotas'))).toMatchObject({ requests_per_minute: { limit: 2, used: 3 } });
    const grant = () => lou('/v1/admin/quotas', 'PUT', { requests_per_minute: 9, tokens_per_day: 9 });
    expect((await grant()).status).toBe(429); // that way is not meant for admins
    expect((await lou('/v1/admin/quotas?tenant=acme')).status).toBe(403);
    const reset = await problem(await set({ requests_per_minute: null, tokens_per_day: null }));
    expect((await grant()).status).toBe(403);
    expect(reset).toMatchObject({ requests_per_minute: { set: null, limit: TENANT_LIMIT } });
    expect((await kim(reading)).status).toBe(503);
  });

  it.each([
    [{ requests_per_minute: -1, tokens_per_day: 0 }, 'requests_per_minute'],
    [{ requests_per_minute: 1.5, tokens_per_day: 0 }, 'requests_per_minute'],
    [{ requests_per_minute: 1, tokens_per_day: 1e15 }, 'tokens_per_day'],
    [{ requests_per_minute: 1 }, 'tokens_per_day'],
    [{ requests_per_minute: 1, tokens_per_day: 1, more: 1 }, 'more'],
  ])('cannot be set to %j', async (body, field) => {
    const operator = await caller(edge, 'mesh', 'root');
    expect(await problem(await operator('/v1/admin/quotas', 'PUT', body))).toMatchObject({ status: 422, field });
  });
});

describe('a quota in tokens without Redis', () => {
  const body = { model: 'hash@1', input: ['The notice period is three months.'] };
  let edge: EdgeAlone;
  beforeAll(async () => {
    const noRequests = { QUOTA_KEY_REQUESTS_PER_MINUTE: '0', QUOTA_TENANT_REQUESTS_PER_MINUTE: '0' };
    edge = await start({ ...noRequests, APP_EMBEDDINGS_BACKEND: 'mock' }, embeddingService);
  });
  afterAll(() => edge.close());

  it('goes on after a restart from what was used of the day, for the caller and the tenant', async () => {
    const [ada, ben] = [await caller(edge, 'acme', 'ada'), await caller(edge, 'acme', 'ben')];
    const spent: number[] = [];
    for (const one of [ada, ada, ben]) {
      const { usage } = (await problem(await one('/v1/embeddings', 'POST', body))) as {
        usage: { total_tokens: number };
      };
      spent.push(usage.total_tokens);
    }
    const [first, , last] = spent as [number, number, number];
    expect(first).toBeGreaterThan(0);
    await edge.restart();
    const used = async () => (await problem(await ada('/v1/admin/quotas')))['tokens_per_day'];
    expect(await used()).toMatchObject({ used: 2 * first + last });
    await ada('/v1/admin/quotas', 'PUT', { requests_per_minute: null, tokens_per_day: 2 * first + last });
    const refused = await ben('/v1/embeddings', 'POST', body);
    expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining('QUOTA.TOKENS_EXCEEDED')]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(86_000);
  });
});

describeWithServer('redis', 'quotas of several gateways', () => {
  let folder: string;
  let redis: RedisServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-quota-'));
    redis = await RedisServer.start({ dataDir: folder });
  });
  afterAll(async () => {
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('are one while Redis is there, and go on by themselves when it leaves', async () => {
    const [one, two] = [await start({ REDIS_URL: redis.url }), await start({ REDIS_URL: redis.url })];
    let attempt = 0;
    try {
      await eventually('they count together', () => countTogether(one, two, `warm-${(attempt += 1)}`));
      const together = [503, 503, 503, 503, 429];
      // Redis has 40 ms for an answer; a gateway that waited longer has counted by itself.
      const { here, there, statuses } = await withinAttempts(
        5,
        (number) => useUp(one, two, `bolt-${number}`),
        (used) => isDeepStrictEqual(used.statuses, together),
      );
      expect(statuses).toEqual(together);
      await redis.kill();
      await eventually(
        'each counts for itself',
        async () => !(await countTogether(one, two, `cold-${(attempt += 1)}`)),
      );
      expect((await here(reading)).status).toBe(503); // it had heard of two
      expect((await there(reading)).status).toBe(429);
      const operator = await caller(one, 'mesh', 'root');
      expect(await (await operator('/metrics')).text()).toMatch(/^ragmesh_quota_local(\{[^}]*\})? 1$/m);
    } finally {
      await one.close();
      await two.close();
    }
  });

  /** Two requests of a tenant to the first gateway, then three to the second. */
  const useUp = async (one: EdgeAlone, two: EdgeAlone, tenant: string) => {
    const [here, there] = [await caller(one, tenant, 'ben'), await caller(two, tenant, 'ben')];
    const statuses = [...(await statusesOf(() => here(reading), 2)), ...(await statusesOf(() => there(reading), 3))];
    return { here, there, statuses };
  };

  /** Whether the second gateway knows of what the first let in. */
  const countTogether = async (one: EdgeAlone, two: EdgeAlone, tenant: string): Promise<boolean> => {
    await (
      await caller(one, tenant, 'ada')
    )(reading);
    const answer = await (await caller(two, tenant, 'ada'))(reading);
    return answer.headers.get('ratelimit')!.startsWith('"key-requests";r=2;');
  };
});
