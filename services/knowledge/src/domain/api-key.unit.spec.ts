import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { newApiKey } from './api-key.js';

describe('a new API key', () => {
  it('is prefix, id and 256 random bits, of which only the hash is kept', () => {
    const { id, text, secretSha256 } = newApiKey();
    const [, foundId, secret = ''] = /^rgm_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
    expect(foundId).toBe(id);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(secretSha256).toEqual(createHash('sha256').update(secret).digest());
  });

  it('is never the same', () => {
    const keys = Array.from({ length: 1000 }, newApiKey);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1000);
    expect(new Set(keys.map(({ text }) => text.slice(20))).size).toBe(1000);
  });
});
