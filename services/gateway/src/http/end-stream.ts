import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import { errorShapeOf } from './error-shape.js';
import { ProblemFilter } from './problem.filter.js';

/** Ends a stream that outlives this server: its client learns that the same request will be answered by another copy. */
export function endStream(app: NestFastifyApplication, reply: FastifyReply): void {
  const stopping = new RagmeshError('SERVER.STOPPING', 'The server stops; repeat the request.');
  const problem = app.get(ProblemFilter).describe(stopping, reply.request);
  reply.raw.end(errorShapeOf(reply.request).lastEvent(problem));
}
