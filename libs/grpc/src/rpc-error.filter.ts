import { Metadata } from '@grpc/grpc-js';
import { Catch, type ArgumentsHost, type RpcExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import { toGrpcStatus } from './grpc-error.js';

/** Lets typed errors through: as a gRPC status to a caller, as they are to the event pipeline. */
@Catch()
export class RpcErrorFilter implements RpcExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): Observable<never> {
    const isCall = host.getArgs<unknown[]>().some((argument) => argument instanceof Metadata);
    return throwError(() => (isCall ? toGrpcStatus(error) : error));
  }
}
