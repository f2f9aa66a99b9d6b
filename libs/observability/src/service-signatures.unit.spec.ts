import { describe, expect, it } from '@jest/globals';
import { ServiceSignatures } from './service-signatures.js';

const [old, young] = ['k'.repeat(32), 'n'.repeat(32)];

describe('a signature of a service', () => {
  it('holds for the fields it was made of, in their order, and for one purpose', () => {
    const signatures = new ServiceSignatures([old]);
    const signature = signatures.sign('call', ['acme', 'ada']);
    expect(signatures.holds(signature, 'call', ['acme', 'ada'])).toBe(true);
    for (const fields of [['ada', 'acme'], ['acme', 'bob'], ['acme,ada'], ['acme', 'ada', '']])
      expect(signatures.holds(signature, 'call', fields)).toBe(false);
    expect(signatures.holds(signature, 'event', ['acme', 'ada'])).toBe(false);
    for (const other of ['', 'AAAA', `${signature}A`, signature.slice(1)])
      expect(signatures.holds(other, 'call', ['acme', 'ada'])).toBe(false);
  });

  it('outlives a change of the key in the order: added everywhere, used everywhere, removed everywhere', () => {
    const [before, added, used, after] = [[old], [old, young], [young, old], [young]].map(
      (keys) => new ServiceSignatures(keys),
    );
    const takes = (by: ServiceSignatures, of: ServiceSignatures): boolean => by.holds(of.sign('p', ['f']), 'p', ['f']);
    expect([takes(before!, added!), takes(added!, before!)]).toEqual([true, true]);
    expect([takes(added!, used!), takes(used!, added!)]).toEqual([true, true]);
    expect([takes(used!, after!), takes(after!, used!)]).toEqual([true, true]);
    expect(takes(after!, before!)).toBe(false);
  });
});
