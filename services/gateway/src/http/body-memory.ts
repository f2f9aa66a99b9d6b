import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MAX_JSON_BYTES } from './json-body.js';
import { findScope } from './request-scope.js';

/** Bodies up to this many bytes are let in uncounted: those of all requests there can be at once take little. */
const SMALL_BYTES = 64 * 1024;
/** Bytes of larger bodies that may be held at once. What is read of one takes up to twice its bytes, and stays until its answer. */
const MOST_BYTES = 128 * 1024 * 1024;
/** Of which one tenant may hold so much, so that there is always room for another's. */
const TENANT_SHARE = 0.5;

/** Bounds what the bodies of requests that are read whole take together: a count of requests says nothing of their size. */
export class BodyMemory {
  readonly #byTenant = new Map<string, number>();
  #held = 0;

  constructor(private readonly mostBytes = MOST_BYTES) {}

  /**
   * Keeps room for a body, whatever it takes where nothing else is held. Gives what gives the room back, to be called once.
   * @throws RagmeshError OVERLOAD.SHED when there is no room for it now.
   */
  take(tenant: string, bytes: number): () => void {
    if (bytes <= SMALL_BYTES) return () => undefined;
    const own = this.#byTenant.get(tenant) ?? 0;
    const isBeyond = (held: number, most: number): boolean => held > 0 && held + bytes > most;
    if (isBeyond(this.#held, this.mostBytes) || isBeyond(own, this.mostBytes * TENANT_SHARE)) throw full();
    this.#add(tenant, bytes);
    return () => this.#add(tenant, -bytes);
  }

  #add(tenant: string, bytes: number): void {
    this.#held += bytes;
    const own = (this.#byTenant.get(tenant) ?? 0) + bytes;
    if (own > 0) this.#byTenant.set(tenant, own);
    else this.#byTenant.delete(tenant);
  }
}

/** Refuses a body before it is read while those that are held leave no room. Forms are passed on as they come and hold nothing. */
export function boundBodies(server: FastifyInstance, memory = new BodyMemory()): void {
  server.addHook('preParsing', (request, reply, _payload, done) => {
    const scope = findScope(request);
    if (!scope || request.isMultipart() || reply.raw.closed) return done();
    try {
      reply.raw.once('close', memory.take(scope.context.tenant, announcedBytes(request)));
      done();
    } catch (error) {
      done(error as Error);
    }
  });
}

/** What a body may take: what it says of itself, and never more than its route reads. */
function announcedBytes({ headers, routeOptions }: FastifyRequest): number {
  const { 'content-length': length, 'transfer-encoding': transfer } = headers;
  const limit = routeOptions.bodyLimit ?? MAX_JSON_BYTES;
  return transfer === undefined ? Math.min(Number(length ?? 0), limit) : limit;
}

function full(): RagmeshError {
  const detail = 'The server holds as many large request bodies as it may. Send this one again soon, or a smaller one.';
  return new RagmeshError('OVERLOAD.SHED', detail, { retry_after: 1 });
}
