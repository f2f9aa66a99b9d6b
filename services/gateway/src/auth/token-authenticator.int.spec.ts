import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { breakersOf } from '@ragmesh/resilience';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { generateKeyPair, SignJWT } from 'jose';
import {
  ANY_RSA,
  AUDIENCE,
  ISSUER,
  claims,
  startIdentityProvider,
  type IdentityProvider,
} from '../../test/identity-provider.js';
import { gatewayConfig } from '../gateway.config.js';
import { TokenAuthenticator } from './token-authenticator.js';

let provider: IdentityProvider;
let tokens: TokenAuthenticator;
const make = (): TokenAuthenticator =>
  new TokenAuthenticator(
    loadConfig(gatewayConfig, {
      AUTH_MODE: 'jwt',
      AUTH_JWT_JWKS_URL: provider.jwksUrl,
      AUTH_JWT_ISSUER: ISSUER,
      AUTH_JWT_AUDIENCE: AUDIENCE,
      AUTH_JWT_LEEWAY_SECONDS: '10',
      AUTH_JWT_ROLES_CLAIM: 'realm_access.roles',
    }),
  );
beforeAll(async () => {
  provider = await startIdentityProvider();
  tokens = make();
});
afterAll(async () => {
  tokens.close();
  await provider.close();
});

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);
const ada = { tenant: 'acme', subject: 'jwt:ada%40example.org', roles: ['writer'], groups: [] as string[] };

describe('a token of the identity provider', () => {
  it.each(['RS256', 'ES256', 'EdDSA'])(
    'signed by %s says tenant, subject and the roles that are known',
    async (alg) => {
      expect(await tokens.verify(await provider.token({}, { alg }))).toEqual(ada);
    },
  );

  it('may list its roles with spaces, be a little late, and name several audiences', async () => {
    const changed = { realm_access: { roles: 'reader admin' }, exp: now() - 5, aud: ['other', AUDIENCE] };
    expect(await tokens.verify(await provider.token(changed))).toEqual({ ...ada, roles: ['reader', 'admin'] });
  });

  it.each<[string, () => object]>([
    ['has expired', () => ({ exp: now() - 11 })],
    ['does not expire', () => ({ exp: undefined })],
    ['is not valid yet', () => ({ nbf: now() + 60 })],
    ['is for another audience', () => ({ aud: 'elsewhere' })],
    ['is of another issuer', () => ({ iss: 'https://identity.example.evil' })],
    ['names no tenant', () => ({ tenant: undefined })],
    ['names a tenant that is a path', () => ({ tenant: '../acme' })],
    ['names several tenants', () => ({ tenant: ['acme', 'other'] })],
    ['names nobody', () => ({ sub: undefined })],
  ])('does not hold when it %s', async (_what, changed) => {
    expect(await tokens.verify(await provider.token(changed() as never))).toBeUndefined();
  });

  it('says its groups, and what is no list of texts names none', async () => {
    expect(await tokens.verify(await provider.token({ groups: ['staff', 7, 'legal'] } as never))).toEqual({
      ...ada,
      groups: ['staff', 'legal'],
    });
    expect(await tokens.verify(await provider.token({ groups: 'staff' } as never))).toEqual(ada);
  });

  it('gives no role that it finds on a prototype', async () => {
    expect(await tokens.verify(await provider.token({ realm_access: undefined }))).toEqual({ ...ada, roles: [] });
  });
});

describe('a forged token', () => {
  const unsigned = (alg: string): string => `${part({ alg, kid: 'RS256' })}.${part(claims())}.`;

  it.each(['none', 'None', 'NONE', ''])('without signature (alg "%s") does not hold', async (alg) => {
    expect(await tokens.verify(unsigned(alg))).toBeUndefined();
  });

  it('signed by HS256 with the public key as its secret does not hold', async () => {
    const signed = `${part({ alg: 'HS256', kid: 'RS256', typ: 'JWT' })}.${part(claims())}`;
    for (const secret of [provider.publicKey, provider.publicKey.trim()]) {
      const signature = createHmac('sha256', secret).update(signed).digest('base64url');
      expect(await tokens.verify(`${signed}.${signature}`)).toBeUndefined();
    }
  });

  it.each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512'])(
    'signed by %s does not hold, although the key set would let its key do so',
    async (alg) => {
      expect(await tokens.verify(await provider.token({}, { kid: ANY_RSA }))).toEqual(ada);
      expect(await tokens.verify(await provider.token({}, { kid: ANY_RSA, alg }))).toBeUndefined();
    },
  );

  it('signed by a key of its own does not hold, nor when it brings that key along', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await crypto.subtle.exportKey('jwk', publicKey);
    for (const header of [{}, { jwk }, { jku: 'http://127.0.0.1:1/jwks' }, { x5u: 'http://127.0.0.1:1/' }]) {
      const forged = new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', kid: 'ES256', ...(header as object) });
      expect(await tokens.verify(await forged.sign(privateKey))).toBeUndefined();
    }
  });

  it('with changed claims or a changed algorithm does not hold', async () => {
    const [header, , signature] = (await provider.token()).split('.');
    expect(await tokens.verify(`${header}.${part({ ...claims(), tenant: 'other' })}.${signature}`)).toBeUndefined();
    expect(await tokens.verify(await provider.token({}, { kid: 'ES256' }))).toBeUndefined();
  });

  it.each(['unknown', '../../../../etc/passwd', "' OR '1'='1", 'http://127.0.0.1:1/key', '', '__proto__'])(
    'with the key id "%s" does not hold',
    async (kid) => {
      expect(await tokens.verify(await provider.token({}, { kid }))).toBeUndefined();
    },
  );

  it('with made-up key ids does not become a request to the identity provider each', async () => {
    const before = provider.fetches();
    for (let id = 0; id < 20; id += 1) await tokens.verify(await provider.token({}, { kid: `guess-${id}` }));
    expect(provider.fetches()).toBe(before);
  });

  it.each([
    '',
    '.',
    '..',
    'a.b.c',
    '{}',
    '\u{1f600}.x.y',
    'x'.repeat(8000),
    `${'a'.repeat(4000)}.${'b'.repeat(4000)}.c`,
  ])('that is no token does not hold', async (text) => {
    expect(await tokens.verify(text)).toBeUndefined();
  });
});

describe('an identity provider that is away', () => {
  it('leaves nobody in whose keys were never seen, and says what is wrong', async () => {
    const token = await provider.token();
    provider.fail(500);
    await expect(make().verify(token)).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(await tokens.verify(token)).toEqual(ada);
    provider.fail(200);
  });

  it('is asked no more by every token, keys that are here hold on, and it is asked again within seconds', async () => {
    const token = await provider.token();
    provider.fail(500);
    const breakers = () => breakersOf('gateway').map(({ name, state }) => `${name} ${state}`);
    const insist = async () => {
      const own = make();
      const before = provider.fetches();
      for (let tries = 0; tries < 6; tries += 1)
        await expect(own.verify(token)).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
      return { own, fetches: provider.fetches() - before, shown: breakers() };
    };
    // It may be asked again where six tokens take seconds.
    const { own, fetches, shown } = await withinAttempts(2, insist, (attempt) => attempt.fetches === 2);
    expect(fetches).toBe(2);
    expect(shown).toContain('identity-provider open');
    expect(await tokens.verify(token)).toEqual(ada);
    provider.fail(200);
    const asked = () => own.verify(token).catch(() => undefined);
    expect(await eventually('it is asked again', asked, 20_000)).toEqual(ada);
    own.close();
  });
});
