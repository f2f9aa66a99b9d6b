import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MAX_CREDENTIAL_LENGTH, readCredential } from './credential.js';

const secret = randomBytes(32).toString('base64url');
const text = `rgm_a1b2_${secret}`;
const key = { kind: 'key', id: 'a1b2', secretSha256: createHash('sha256').update(secret).digest() };

describe('a credential', () => {
  it.each([
    { authorization: `Bearer ${text}` },
    { authorization: `bearer  ${text} ` },
    { 'x-api-key': text },
    { authorization: `Bearer ${text}`, 'x-api-key': text },
  ])('is an API key in either header', (headers) => {
    expect(readCredential(headers)).toEqual(key);
  });

  it('is a token where it is no key', () => {
    expect(readCredential({ authorization: 'Bearer a.b.c' })).toEqual({ kind: 'token', token: 'a.b.c' });
    expect(readCredential({ 'x-api-key': 'a.b.c' })).toBeUndefined();
  });

  it.each([{}, { authorization: 'Basic dTpw' }, { authorization: 'Bearer' }, { authorization: text }])(
    'is asked for when there is none: %j',
    (headers) => {
      expect(() => readCredential(headers)).toThrow('This route needs a credential.');
    },
  );

  it('is none when two differ, when it is short, and when it is huge', () => {
    expect(readCredential({ authorization: `Bearer ${text}`, 'x-api-key': `${text}x` })).toBeUndefined();
    expect(readCredential({ 'x-api-key': 'rgm_a1b2_short' })).toBeUndefined();
    expect(readCredential({ authorization: `Bearer ${'x'.repeat(MAX_CREDENTIAL_LENGTH + 1)}` })).toBeUndefined();
  });
});
