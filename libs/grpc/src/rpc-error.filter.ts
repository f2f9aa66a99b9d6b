import { Metadata } from '@grpc/grpc-js';
import { Catch, type ArgumentsHost, type RpcExceptionFilter } from '@nestjs/common';
import { reportUnexpected, type Logger } from '@ragmesh/observability';
import { throwError, type Observable } from 'rxjs';
import { toGrpcStatus } from './grpc-error.js';

/** Lets typed errors through: as a gRPC status to a caller, as they are to the event pipeline. */
@Catch()
export class RpcErrorFilter implements RpcExceptionFilter {
  /** @param logger is told of errors nobody foresaw. */
  constructor(
    private readonly service: string,
    private readonly logger?: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): Observable<never> {
    const call = callOf(host);
    if (!call) return throwError(() => error);
    reportUnexpected(error, { service: this.service, where: call.path }, this.logger);
    return throwError(() => toGrpcStatus(error));
  }
}

/** The gRPC call that failed; undefined for an event. */
function callOf(host: ArgumentsHost): { path: string } | undefined {
  const args = host.getArgs<unknown[]>();
  if (!args.some((argument) => argument instanceof Metadata)) return undefined;
  const call = args.find((argument) => typeof (argument as { getPath?: unknown } | null)?.getPath === 'function');
  return { path: (call as { getPath(): string } | undefined)?.getPath() ?? 'call' };
}
