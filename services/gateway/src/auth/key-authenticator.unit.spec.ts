import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { knowledgeV1 } from '@ragmesh/contracts';
import { KeyAuthenticator } from './key-authenticator.js';

const HOUR_MS = 3_600_000;
const key = { kind: 'key', id: 'a1', secretSha256: Buffer.alloc(32) } as const;

describe('a key that is remembered', () => {
  it('ends when it expires, without being looked up again', async () => {
    const expiresAt = Date.now() + 50;
    let lookUps = 0;
    const verifyKey = async () => {
      lookUps += 1;
      const holder = { valid: true, tenant: 'acme', roles: ['reader'], expiresAt: timestampFromMs(expiresAt) };
      return create(knowledgeV1.VerifyKeyResponseSchema, holder);
    };
    const keys = new KeyAuthenticator({ verifyKey }, HOUR_MS);
    expect(await keys.verify(key)).toEqual({ tenant: 'acme', subject: 'key:a1', roles: ['reader'] });
    while (Date.now() < expiresAt) await delay(5);
    expect(await keys.verify(key)).toBeUndefined();
    expect(lookUps).toBe(1);
  });
});
