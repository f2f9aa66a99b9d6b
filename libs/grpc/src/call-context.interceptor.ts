import { Metadata } from '@grpc/grpc-js';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { SpanKind, extractTrace, inContext, markFailed, startSpan, traceContext } from '@ragmesh/observability';
import { Observable } from 'rxjs';
import { incomingContext, incomingTrace } from './call-metadata.js';

/** Runs each gRPC handler for whom its call was signed: tenant, subject, principals, request id. */
@Injectable()
export class CallContextInterceptor implements NestInterceptor {
  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    const metadata = metadataOf(host);
    if (!metadata) return next.handle();
    const context = incomingContext(metadata);
    const name = `${host.getClass().name}.${host.getHandler().name}`;
    return new Observable((subscriber) => {
      const { span, context: traced } = startSpan(name, {
        kind: SpanKind.SERVER,
        parent: extractTrace(incomingTrace(metadata)),
      });
      const subscription = traceContext.with(traced, () =>
        inContext(context, () =>
          next.handle().subscribe({
            next: (value) => subscriber.next(value),
            error: (error: unknown) => {
              markFailed(span, error);
              subscriber.error(error);
            },
            complete: () => subscriber.complete(),
          }),
        ),
      );
      return () => {
        subscription.unsubscribe();
        span.end();
      };
    });
  }
}

/** Metadata of a gRPC call, whether the handler takes a message or the raw stream; undefined for an event. */
function metadataOf(host: ExecutionContext): Metadata | undefined {
  const arguments_ = host.getArgs<unknown[]>();
  const direct = arguments_.find((argument) => argument instanceof Metadata);
  if (direct) return direct as Metadata;
  const call = arguments_[0];
  return typeof call === 'object' && call !== null && 'metadata' in call && call.metadata instanceof Metadata
    ? call.metadata
    : undefined;
}
