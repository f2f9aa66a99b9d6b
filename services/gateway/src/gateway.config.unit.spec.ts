import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { gatewayConfig } from './gateway.config.js';

describe('the gateway’s address', () => {
  it.each(['127.0.0.1', '::1', 'localhost'])('may be %s', (host) => {
    expect(loadConfig(gatewayConfig, { SERVER_HOST: host }).SERVER_HOST).toBe(host);
  });

  it.each(['0.0.0.0', '::', '192.168.1.4', 'example.org'])('is not %s while authentication is off', (host) => {
    expect(() => loadConfig(gatewayConfig, { SERVER_HOST: host })).toThrow(
      /SERVER_HOST must be 127\.0\.0\.1, ::1 or localhost while authentication is off/,
    );
  });

  it('is any where the operator says that only trusted programs reach it', () => {
    const environment = { SERVER_HOST: '0.0.0.0', SERVER_TRUSTED_NETWORK: 'true' };
    expect(loadConfig(gatewayConfig, environment).SERVER_HOST).toBe('0.0.0.0');
  });

  it('is any where credentials are asked for', () => {
    const environment = { SERVER_HOST: '0.0.0.0', AUTH_MODE: 'keys' };
    expect(loadConfig(gatewayConfig, environment).SERVER_HOST).toBe('0.0.0.0');
  });
});

describe('proxies in front of the gateway', () => {
  const load = (proxies: string) => loadConfig(gatewayConfig, { SERVER_TRUSTED_PROXIES: proxies });

  it('are addresses and ranges, and none unless they are named', () => {
    expect(loadConfig(gatewayConfig, {}).SERVER_TRUSTED_PROXIES).toEqual([]);
    const proxies = ['10.1.2.3', '10.0.0.0/8', 'fd00::/8'];
    expect(load(proxies.join(', ')).SERVER_TRUSTED_PROXIES).toEqual(proxies);
  });

  it.each([
    'proxy.example',
    '10.1.2',
    '10.0.0.0/33',
    'fd00::/129',
    '0.0.0.0/0',
    '::/0',
    '10.0.0.0/00',
    '::ffff:0:0/96',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
  ])('are not %s', (proxies) => {
    expect(() => load(proxies)).toThrow(/SERVER_TRUSTED_PROXIES must be a list of addresses or ranges/);
  });
});

describe('authentication', () => {
  const tokens = { AUTH_MODE: 'jwt', AUTH_JWT_ISSUER: 'i', AUTH_JWT_AUDIENCE: 'a' };
  const load = (environment: Record<string, string>) => () => loadConfig(gatewayConfig, environment);

  it('is off unless it is asked for', () => {
    expect(load({})().AUTH_MODE).toBe('off');
    expect(load({ AUTH_MODE: 'on' })).toThrow(/AUTH_MODE must be one of off, keys, jwt, keys\+jwt/);
  });

  it('by tokens needs to know whose', () => {
    expect(load(tokens)).toThrow(/AUTH_JWT_JWKS_URL, AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE/);
    expect(load({ ...tokens, AUTH_JWT_JWKS_URL: 'http://identity.example/jwks' })).toThrow(/https/);
    for (const url of ['https://identity.example/jwks', 'http://127.0.0.1:1/', 'http://[::1]:1/'])
      expect(load({ ...tokens, AUTH_JWT_JWKS_URL: url })().AUTH_JWT_JWKS_URL).toBe(url);
  });

  it('takes no weak key from the configuration, and does not print it', () => {
    const weak = load({ AUTH_MODE: 'keys', RAGMESH_BOOTSTRAP_KEY: 'rgm_first_hunter2' });
    expect(weak).toThrow(/RAGMESH_BOOTSTRAP_KEY must be rgm_<id>_<at least 43 characters/);
    expect(weak).not.toThrow(/hunter2/);
  });
});
