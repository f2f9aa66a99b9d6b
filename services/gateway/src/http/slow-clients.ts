import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

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
  server.addHook('onRequest', (request, reply, done) => {
    if (!request.raw.complete)
      after(request.isMultipart() ? streamMs : bodyMs, reply, () => {
        if (!request.raw.complete) refuse(request, reply);
      });
    done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    after(streamMs, reply, () => void reply.raw.destroy());
    done();
  });
}

/** Does it unless the answer is over by then. */
function after(ms: number, { raw }: FastifyReply, act: () => void): void {
  const timer = setTimeout(act, ms).unref();
  raw.once('close', () => clearTimeout(timer));
}

function refuse(request: FastifyRequest, reply: FastifyReply): void {
  const hangUp = (): void => void request.raw.destroy();
  if (reply.sent) return hangUp();
  reply.raw.once('finish', hangUp);
  void reply.header('connection', 'close');
  reply.server.errorHandler(
    new RagmeshError('REQUEST.MALFORMED', 'The request did not arrive whole in time.') as never,
    request,
    reply,
  );
}
