import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { isRagmeshError } from '@ragmesh/errors';
import { reportUnexpected, type Logger } from '@ragmesh/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusalOfBody } from './body-parsers.js';
import { errorShapeOf } from './error-shape.js';
import { problemOf, type Problem } from './problem.js';
import { findScope } from './request-scope.js';
import { requestIdFrom } from './request-id.js';
import type { RouteMethods } from './route-methods.js';
import { asRequestError } from './transport-error.js';

/** Turns every failure of a request into a problem body: the only place of the edge where an error becomes an answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly routes: RouteMethods,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { request } = reply;
    if (reply.sent || reply.raw.headersSent) return;
    const problem = this.describe(thrown, request);
    void reply.header('x-request-id', problem.request_id);
    if (stillSends(request)) void reply.removeHeader('connection'); // a client that does must be able to read this
    if (problem.status === 405) void reply.header('allow', this.routes.allowedAt(request.url).join(', '));
    if (problem.retry_after !== null) void reply.header('retry-after', String(problem.retry_after));
    const shape = errorShapeOf(request);
    void reply.status(shape.statusOf(problem.status)).type(`${shape.mediaType}; charset=utf-8`);
    void reply.send(JSON.stringify(shape.body(problem)));
  }

  /** The problem a failure is, noted for the request's metrics and, when nobody expected it, logged with its cause. */
  describe(thrown: unknown, request: FastifyRequest): Problem {
    const error = refusalOfBody(thrown, request) ?? this.routes.refine(asRequestError(thrown), request.url);
    const scope = findScope(request);
    if (scope) scope.errorCode = error.code;
    const ids = { requestId: scope?.requestId ?? requestIdFrom(undefined), traceId: scope?.traceId ?? '' };
    if (error.spec.status === 500) {
      const err = isRagmeshError(thrown) ? thrown : (error.cause ?? thrown);
      this.logger.error(
        { err, code: error.code, request_id: ids.requestId, trace_id: ids.traceId },
        'Request failed unexpectedly',
      );
      reportUnexpected(error, { service: 'gateway', where: request.routeOptions.url ?? 'unknown route', ...ids });
    }
    return problemOf(error, ids);
  }
}

function stillSends({ raw, headers }: FastifyRequest): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return hasBody && !raw.complete;
}
