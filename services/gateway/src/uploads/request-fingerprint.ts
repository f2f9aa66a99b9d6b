import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/** SHA-256 that two requests share when they ask for the same: method, path and content, whatever the multipart boundary. */
export class RequestFingerprint {
  readonly #hash = createHash('sha256');

  constructor({ method, url }: Pick<FastifyRequest, 'method' | 'url'>) {
    this.#add(`${method} ${url}`);
  }

  addJson(body: unknown): this {
    return this.#add(JSON.stringify(body) ?? '');
  }

  /** @param digest SHA-256 of the file's bytes. */
  addFile(fields: object, name: string, digest: Buffer): this {
    return this.#add(JSON.stringify([fields, name, digest.toString('hex')]));
  }

  digest(): Buffer {
    return this.#hash.digest();
  }

  #add(part: string): this {
    this.#hash.update(`${Buffer.byteLength(part)}:${part}`); // the length keeps neighbouring parts apart
    return this;
  }
}
