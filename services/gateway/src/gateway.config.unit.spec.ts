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
});
