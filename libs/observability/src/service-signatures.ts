import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * What services of one installation know of each other by: HMAC-SHA256 with a key that only they have. The first key signs, and
 * every key is taken, so that a new one can be added everywhere before it is used anywhere.
 */
export class ServiceSignatures {
  /** @param keys at least one; the first one signs. */
  constructor(private readonly keys: readonly string[]) {}

  /** @param purpose keeps what was signed for one use from being taken for another. */
  sign(purpose: string, fields: readonly string[]): string {
    return digest(this.keys[0]!, purpose, fields).toString('base64url');
  }

  /** Compares in a time that does not depend on how much is right. */
  holds(signature: string, purpose: string, fields: readonly string[]): boolean {
    const given = Buffer.from(signature, 'base64url');
    return this.keys.some((key) => {
      const wanted = digest(key, purpose, fields);
      return given.length === wanted.length && timingSafeEqual(given, wanted);
    });
  }

  /** The same, with further keys that are taken. */
  signingWith(keys: readonly string[]): ServiceSignatures {
    return new ServiceSignatures([...new Set([...keys, ...this.keys])]);
  }
}

/** As JSON, so that no two lists of fields give the same bytes. */
const digest = (key: string, purpose: string, fields: readonly string[]): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([purpose, ...fields]))
    .digest();

/** Until a key is given, one that nobody else has: services of one process know each other, and nobody else is let in. */
let signatures = new ServiceSignatures([randomBytes(32).toString('base64url')]);

/** Has this process sign with the first of these keys from now on, and take all of them. */
export const useServiceKeys = (keys: readonly string[]): void => void (signatures = signatures.signingWith(keys));

/** The signatures of this process. */
export const serviceSignatures = (): ServiceSignatures => signatures;
