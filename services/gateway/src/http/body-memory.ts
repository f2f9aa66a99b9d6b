import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { refuseUnread } from './refuse-unread.js';
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

  /** The room of one body, empty at first. */
  roomFor(tenant: string): BodyRoom {
    let own = 0;
    let isReleased = false;
    const add = (bytes: number): void => {
      own += bytes;
      this.#held += bytes;
      const ofTenant = (this.#byTenant.get(tenant) ?? 0) + bytes;
      if (ofTenant > 0) this.#byTenant.set(tenant, ofTenant);
      else this.#byTenant.delete(tenant);
    };
    const isBeyond = (held: number, bytes: number, most: number): boolean => held > own && held - own + bytes > most;
    return {
      growTo: (bytes) => {
        if (isReleased || bytes <= Math.max(SMALL_BYTES, own)) return;
        const ofTenant = this.#byTenant.get(tenant) ?? 0;
        if (isBeyond(this.#held, bytes, this.mostBytes)) throw full();
        if (isBeyond(ofTenant, bytes, this.mostBytes * TENANT_SHARE)) throw full();
        add(bytes - own);
      },
      release: () => {
        isReleased = true;
        add(-own);
      },
    };
  }
}

export interface BodyRoom {
  /**
   * Keeps room for so many bytes in all, however many where nothing else is held.
   * @throws RagmeshError OVERLOAD.SHED when there is no room for them now.
   */
  growTo(bytes: number): void;
  /** Gives all of it back; from then on both do nothing. */
  release(): void;
}

/**
 * Refuses a body while those that are held leave no room: before it is read when it says how long it is, else as soon as it
 * grows too large. Forms are passed on as they come and hold nothing.
 */
export function boundBodies(server: FastifyInstance, memory = new BodyMemory()): void {
  server.addHook('preParsing', (request, reply, _payload, done) => {
    const scope = findScope(request);
    if (!scope || request.isMultipart() || reply.raw.closed) return done();
    const room = (scope.bodyRoom = memory.roomFor(scope.context.tenant));
    try {
      room.growTo(announcedBytes(request));
    } catch (error) {
      return done(error as Error);
    }
    if (request.headers['transfer-encoding'] !== undefined) growWithBody(room, request, reply);
    done();
  });
}

/** More than its route reads is refused by its length, and never held. */
const announcedBytes = ({ headers, routeOptions }: FastifyRequest): number =>
  Math.min(Number(headers['content-length'] ?? 0), routeOptions.bodyLimit ?? Infinity);

function growWithBody(room: BodyRoom, request: FastifyRequest, reply: FastifyReply): void {
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    try {
      room.growTo(bytes);
    } catch (error) {
      request.raw.off('data', count);
      refuseUnread(request, reply, error as RagmeshError);
    }
  };
  request.raw.on('data', count);
}

function full(): RagmeshError {
  const detail = 'The server holds as many large request bodies as it may. Send this one again soon, or a smaller one.';
  return new RagmeshError('OVERLOAD.SHED', detail, { retry_after: 1 });
}
