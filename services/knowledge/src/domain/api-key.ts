import { createHash, randomBytes } from 'node:crypto';

const ID_BYTES = 8;
const SECRET_BYTES = 32;

/** A new API key. */
export interface NewApiKey {
  readonly id: string;
  /** `rgm_<id>_<secret>`: shown to its owner once, never kept. */
  readonly text: string;
  readonly secretSha256: Buffer;
}

/**
 * A key nobody can guess: 256 bits of the system's randomness. The prefix lets secret scanners find it in places where it
 * should not be.
 */
export function newApiKey(): NewApiKey {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, text: `rgm_${id}_${secret}`, secretSha256: sha256(secret) };
}

/**
 * What is kept of a secret. Slow hashes with a salt make guessing people's passwords expensive; among 2^256 equally likely
 * secrets there is nothing to guess, so one round of SHA-256 is as safe and costs a request microseconds.
 */
const sha256 = (secret: string): Buffer => createHash('sha256').update(secret).digest();
