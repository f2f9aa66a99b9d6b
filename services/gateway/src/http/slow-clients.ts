import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { refuseUnread } from './refuse-unread.js';

/** Long enough for a connection to recover from losses; whoever is silent for longer has left, or wants to keep a place. */
const STILL_MS = 10_000;

/** How long a client may take, in ms. */
export interface Patience {
  /** To send the next piece of a body. */
  readonly stillMs?: number;
  /** To send a body that is read whole. */
  readonly bodyMs: number;
  /** To send a file, and to take an answer. */
  readonly streamMs: number;
}

/**
 * Hangs up on clients that do not send what they announced, or do not take their answer: each holds one of the places that all
 * share, and one that lost its power never says so.
 */
export function hangUpOnSlowClients(server: FastifyInstance, { stillMs = STILL_MS, bodyMs, streamMs }: Patience): void {
  const clocks = new WeakMap<FastifyReply, readonly NodeJS.Timeout[]>();
  const stop = (reply: FastifyReply): void => clocks.get(reply)?.forEach(clearTimeout);
  server.addHook('onRequest', (request, reply, done) => {
    const judge = (detail: string): void => {
      if (!request.raw.complete) refuseUnread(request, reply, new RagmeshError('REQUEST.MALFORMED', detail));
    };
    const late = (): void => judge('The request did not arrive whole in time.');
    const still = (): void => judge(`The body of the request stood still for ${stillMs / 1000} seconds.`);
    clocks.set(reply, [
      setTimeout(late, request.isMultipart() ? streamMs : bodyMs).unref(),
      onStandstill(request, stillMs, still).unref(),
    ]);
    reply.raw.once('close', () => stop(reply));
    done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    stop(reply);
    // A client may have left meanwhile, and a close that was is not told again: the timer would keep request and answer for long.
    if (!reply.raw.closed) clocks.set(reply, [setTimeout(() => void reply.raw.destroy(), streamMs).unref()]);
    done();
  });
}

/**
 * Looks twice, so that what this server itself was too busy to read is not held against its client; and only while it reads:
 * whoever stores a large file sets the pace of it.
 */
function onStandstill({ raw }: FastifyRequest, ms: number, act: () => void): NodeJS.Timeout {
  let read = raw.socket.bytesRead;
  let looks = 0;
  const look = (): void => {
    if (raw.complete) return clearInterval(clock);
    const { bytesRead } = raw.socket;
    const isStill = bytesRead === read && raw.readableLength === 0 && !raw.isPaused();
    read = bytesRead;
    looks = isStill ? looks + 1 : 0;
    if (looks === 2) act();
  };
  const clock = setInterval(look, ms / 2);
  return clock;
}
