import { describe, expect, it } from '@jest/globals';
import { EVERYTHING, admittedByBoth, mayRead } from './access.js';
import { asService, currentPrincipals, inContext } from './request-context.js';

describe('an access list', () => {
  it('admits whom it names, and without one everyone is admitted', () => {
    expect(mayRead(null, [])).toBe(true);
    expect(mayRead(['group:legal'], ['jwt:ada', 'group:legal'])).toBe(true);
    expect(mayRead(['group:legal'], ['jwt:ada'])).toBe(false);
    expect(mayRead([], ['jwt:ada'])).toBe(false);
    expect(mayRead([], [EVERYTHING])).toBe(true);
  });

  it('gives way to another without ever admitting more than both', () => {
    expect(admittedByBoth(null, ['a'])).toEqual(['a']);
    expect(admittedByBoth(['a'], null)).toEqual(['a']);
    expect(admittedByBoth(['a', 'b'], ['b', 'c'])).toEqual(['b']);
    expect(admittedByBoth(['a'], ['b'])).toEqual([]);
    expect(admittedByBoth(null, null)).toBeNull();
  });

  it('stands in the way of work that says nothing of its principals, and not of a service at its own work', () => {
    const context = { tenant: 't', requestId: 'r', subject: 's' };
    expect(inContext(context, () => mayRead(['a'], currentPrincipals()))).toBe(false);
    expect(inContext(context, () => asService(() => mayRead(['a'], currentPrincipals())))).toBe(true);
  });
});
