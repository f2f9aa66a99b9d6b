import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { refuseUnread } from './refuse-unread.js';

/** How long a client may take, in ms. */
export interface Patience {
  /** To send a body that is read whole. */
  readonly bodyMs: number;
  /** To send a file, and to take an answer. */
  readonly streamMs: number;
}

/**
 * Hangs up on clients that do not send what they announced, or do not take their answer: each holds one of the places that all
 * share, and one that lost its power never says so.
 */
export function hangUpOnSlowClients(server: FastifyInstance, { bodyMs, streamMs }: Patience): void {
  const timers = new WeakMap<FastifyReply, NodeJS.Timeout>();
  server.addHook('onRequest', (request, reply, done) => {
    const judge = (): void => {
      if (!request.raw.complete) refuseUnread(request, reply, late());
    };
    timers.set(reply, setTimeout(judge, request.isMultipart() ? streamMs : bodyMs).unref());
    reply.raw.once('close', () => clearTimeout(timers.get(reply)));
    done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    clearTimeout(timers.get(reply));
    // A client may have left meanwhile, and a close that was is not told again: the timer would keep request and answer for long.
    if (!reply.raw.closed) timers.set(reply, setTimeout(() => void reply.raw.destroy(), streamMs).unref());
    done();
  });
}

const late = (): RagmeshError => new RagmeshError('REQUEST.MALFORMED', 'The request did not arrive whole in time.');
