import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { routeRoles } from '../src/auth/route-roles.js';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';
import { AUDIENCE, ISSUER, startIdentityProvider, type IdentityProvider } from './identity-provider.js';

const bootstrapKey = `rgm_first_${randomBytes(32).toString('hex')}`;
const ATTEMPTS = 200;
let provider: IdentityProvider;
let edge: EdgeAlone;
beforeAll(async () => {
  provider = await startIdentityProvider();
  edge = await startEdgeAlone({
    SERVER_HOST: '0.0.0.0', // refused while authentication is off
    AUTH_MODE: 'keys+jwt',
    RAGMESH_BOOTSTRAP_KEY: bootstrapKey,
    AUTH_FAILED_ATTEMPTS: String(ATTEMPTS),
    SERVER_TRUSTED_PROXIES: '127.0.0.1',
    AUTH_JWT_JWKS_URL: provider.jwksUrl,
    AUTH_JWT_ISSUER: ISSUER,
    AUTH_JWT_AUDIENCE: AUDIENCE,
  });
});
afterAll(async () => {
  await edge.close();
  await provider.close();
});

type Headers = Readonly<Record<string, string>>;
const ask = (route: string, headers: Headers = {}): Promise<Response> => {
  const [method = '', path = ''] = route.split(' ');
  return fetch(edge.url.replace('0.0.0.0', '127.0.0.1') + path.replaceAll(/:\w+/g, 'some'), { method, headers });
};
const bearer = (text: string): Headers => ({ authorization: `Bearer ${text}` });
const problem = async (answer: Response): Promise<Record<string, unknown>> =>
  (await answer.json()) as Record<string, unknown>;

describe('the catalogue of routes', () => {
  it('has an entry for every running route, and no other', () => {
    const running = edge.routes().filter((route) => !route.startsWith('HEAD '));
    expect(Object.keys(routeRoles).toSorted()).toEqual(running.toSorted());
  });

  it('is what the API document says', async () => {
    const document = (await (await ask('GET /openapi.json')).json()) as {
      paths: Record<string, Record<string, { security?: Record<string, string[]>[]; responses: object }>>;
      components: { securitySchemes: object };
    };
    expect(Object.keys(document.components.securitySchemes)).toEqual(['apiKey', 'bearerKey', 'bearerToken']);
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { security, responses }] of Object.entries(methods)) {
        const access = routeRoles[`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`]!;
        const named = ['apiKey', 'bearerKey', 'bearerToken'].map((scheme) => ({ [scheme]: [access] }));
        expect({ path, security }).toEqual({ path, security: access === 'open' ? undefined : named });
        expect('401' in responses && '403' in responses && '429' in responses).toBe(access !== 'open');
      }
    }
  });
});

describe('without a credential', () => {
  it.each(Object.entries(routeRoles))('%s: %s', async (route, access) => {
    const answer = await ask(route);
    if (access === 'open') {
      expect([401, 403]).not.toContain(answer.status);
      await answer.body?.cancel();
      return;
    }
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="ragmesh"');
    expect(await answer.text()).toContain('needs a credential');
  });

  it('a path that is no route is missing, as ever', async () => {
    expect((await ask('GET /v1/nothing')).status).toBe(404);
    expect((await ask('PATCH /v1/documents/a')).status).toBe(405);
  });

  it('is refused in the words of the clients a route is for', async () => {
    const answer = await ask('POST /v1/chat/completions');
    expect(await problem(answer)).toMatchObject({ error: { type: 'authentication_error', code: 'AUTH.REQUIRED' } });
  });
});

describe('a credential', () => {
  it('from the configuration opens every route', async () => {
    for (const headers of [bearer(bootstrapKey), { 'x-api-key': bootstrapKey }])
      expect(await problem(await ask('GET /v1/documents', headers))).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect((await ask('GET /metrics', bearer(bootstrapKey))).status).toBe(200);
  });

  it('that cannot be checked lets nobody in', async () => {
    const token = await provider.token({ roles: ['operator'] }); // whose subject may have been removed
    for (const credential of [`rgm_a1_${'x'.repeat(43)}`, token]) {
      const answer = await ask('GET /metrics', bearer(credential));
      expect(await problem(answer)).toMatchObject({ status: 503, code: 'DEPENDENCY.UNAVAILABLE' });
    }
  });

  it('that does not hold is refused without a reason, and after many the address has to wait', async () => {
    const expired = await provider.token({ exp: 1 });
    const bodies = new Set<string>();
    for (const headers of [bearer(expired), bearer('none'), { 'x-api-key': 'none' }, bearer(`${bootstrapKey}x`)]) {
      const answer = await ask('GET /v1/documents', headers);
      if (answer.status === 503) continue; // a key in form, which the service that is away would know
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="ragmesh", error="invalid_token"');
      const { request_id: _, trace_id: __, ...rest } = await problem(answer);
      bodies.add(JSON.stringify(rest));
    }
    expect([...bodies]).toEqual([expect.stringContaining('"code":"AUTH.INVALID"')]);
    const tries = await Promise.all(Array.from({ length: ATTEMPTS }, () => ask('GET /v1/documents', bearer('none'))));
    expect(tries.map(({ status }) => status)).toContain(429);
    const late = await ask('GET /v1/documents', bearer('none'));
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await problem(late)).toMatchObject({ status: 429, code: 'AUTH.TOO_MANY_ATTEMPTS', retryable: true });
    expect((await ask('GET /v1/documents', bearer(`rgm_a1_${'x'.repeat(43)}`))).status).toBe(429);
    expect((await ask('GET /metrics', bearer(bootstrapKey))).status).toBe(200);
    expect((await ask('GET /healthz')).status).toBe(200);
    const behind = (forwarded: string) => ask('GET /v1/documents', { ...bearer('none'), 'x-forwarded-for': forwarded });
    expect((await behind('192.0.2.7')).status).toBe(401); // passed on by a proxy, who speaks for others than himself
    const spoofed = Array.from({ length: ATTEMPTS }, (_, number) => behind(`198.51.100.${number}, 192.0.2.7`));
    expect((await Promise.all(spoofed)).map(({ status }) => status)).toContain(429);
    expect((await behind('192.0.2.8')).status).toBe(401);
  });
});

describe('authentication that is off', () => {
  it('leaves no start on an address others could reach', () => {
    const env = { PATH: process.env['PATH'], SERVER_HOST: '0.0.0.0', RAGMESH_DATA_DIR: '/nowhere' };
    const { status, stderr } = spawnSync(process.execPath, ['services/standalone/dist/main.js'], {
      env,
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/SERVER_HOST must be 127\.0\.0\.1, ::1 or localhost while authentication is off/);
  });
});
