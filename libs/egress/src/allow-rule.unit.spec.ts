import { describe, expect, it } from '@jest/globals';
import { defineConfig, loadConfig } from '@ragmesh/config';
import { AllowRule } from './allow-rule.js';
import { egressVariables } from './egress.config.js';

const matches = (rule: string, host: string, address = '10.0.0.1'): boolean =>
  AllowRule.parse(rule)!.matches(host, address);

describe('AllowRule', () => {
  it('names a host, the names below one, an address or a range, with or without a port', () => {
    expect(matches('Wiki.Corp', 'wiki.corp')).toBe(true);
    expect(matches('wiki.corp', 'a.wiki.corp')).toBe(false);
    expect(matches('*.corp', 'a.b.corp')).toBe(true);
    expect(matches('*.corp', 'corp')).toBe(false);
    expect(matches('*.corp', 'evilcorp')).toBe(false);
    expect(matches('10.0.0.1', 'any.example')).toBe(true);
    expect(matches('10.0.0.0/30', 'any.example', '10.0.0.3')).toBe(true);
    expect(matches('10.0.0.0/30', 'any.example', '10.0.0.4')).toBe(false);
    expect(matches('10.0.0.0/30', 'any.example', '::ffff:10.0.0.3')).toBe(true);
    expect(matches('0.0.0.0/0', 'any.example', 'fd00::1')).toBe(false);
    expect(matches('[fd00::1]:8080', 'any.example', 'fd00:0::1')).toBe(true);
    expect(matches('fd00::/9', 'any.example', 'fd7f::1')).toBe(true);
    expect(matches('fd00::/9', 'any.example', 'fd80::1')).toBe(false);
    expect(
      ['wiki:8080', '10.0.0.0/8:8080', '[fd00::1]:8080', 'wiki', 'fd00::1'].map((rule) => AllowRule.parse(rule)!.port),
    ).toEqual([8080, 8080, 8080, undefined, undefined]);
  });

  it.each([
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0/8',
    '256.1.1.1',
    '1.2.3',
    'http://wiki',
    'wiki/',
    'wi ki',
    'wiki:0',
    'wiki:70000',
    '*',
    '*.',
    'a..b',
  ])('refuses to guess what %s means: start-up names the variable', (text) => {
    const load = (): unknown => loadConfig(defineConfig(egressVariables), { EGRESS_ALLOW: `wiki.corp, ${text}` });
    expect(load).toThrow(/EGRESS_ALLOW must be a list of hosts, addresses or ranges/);
  });
});
