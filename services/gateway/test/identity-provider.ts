import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, exportSPKI, generateKeyPair, importJWK, type JWK, type JWTPayload } from 'jose';

export const ISSUER = 'https://identity.example';
export const AUDIENCE = 'ragmesh';

type Header = Readonly<Record<string, unknown>>;

/** Id of the RSA key that is published without saying what it signs by. */
export const ANY_RSA = 'any-rsa';

/** An identity provider with one key for each algorithm, one for any of RSA, and the ways to sign that an attacker has. */
export interface IdentityProvider {
  readonly jwksUrl: string;
  /** How often the keys were asked for. */
  fetches(): number;
  /** A token that holds, but for what is changed. */
  token(claims?: JWTPayload, header?: Header): Promise<string>;
  /** The public key as text, which everybody can have. */
  readonly publicKey: string;
  /** From now on it answers this status. */
  fail(status: number): void;
  close(): Promise<void>;
}

export const claims = (): JWTPayload => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'ada@example.org',
  tenant: 'acme',
  realm_access: { roles: ['writer', 'offline_access'] },
  exp: Math.floor(Date.now() / 1000) + 300,
});

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const names = ['RS256', 'ES256', 'EdDSA'] as const;
  const pairs = await Promise.all(
    names.map(async (alg) => ({ alg, ...(await generateKeyPair(alg, { extractable: true })) })),
  );
  const keys: JWK[] = await Promise.all(
    pairs.map(async ({ alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid: alg, alg, use: 'sig' })),
  );
  const rsa = await exportJWK(pairs[0]!.privateKey);
  keys.push({ kty: 'RSA', n: rsa.n!, e: rsa.e!, kid: ANY_RSA });
  let fetches = 0;
  let status = 200;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    fetches: () => fetches,
    publicKey: await exportSPKI(pairs[0]!.publicKey),
    fail: (answer) => (status = answer),
    token: async (changed = {}, header = {}) => {
      const alg = String(header['alg'] ?? 'RS256');
      const privateKey = pairs.find((pair) => pair.alg === alg)?.privateKey ?? (await importJWK(rsa, alg));
      return new SignJWT({ ...claims(), ...changed }).setProtectedHeader({ kid: alg, ...header, alg }).sign(privateKey);
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
