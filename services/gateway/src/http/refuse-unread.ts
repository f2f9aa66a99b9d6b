import type { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Answers a request whose body is still on its way, and hangs up; one that was answered already is only hung up on. */
export function refuseUnread(request: FastifyRequest, reply: FastifyReply, error: RagmeshError): void {
  const hangUp = (): void => void request.raw.destroy();
  if (reply.sent) return hangUp();
  reply.raw.once('finish', hangUp);
  void reply.header('connection', 'close');
  reply.server.errorHandler(error as never, request, reply);
}
