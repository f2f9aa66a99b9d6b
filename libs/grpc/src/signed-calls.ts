import { ResponderBuilder, ServerInterceptingCall, ServerListenerBuilder, type ServerInterceptor } from '@grpc/grpc-js';
import { asRagmeshError } from '@ragmesh/errors';
import { checkCall } from './call-metadata.js';
import { tellTime } from './callee-clock.js';
import { toGrpcStatus } from './grpc-error.js';

/**
 * Lets in calls only that a service of this installation signed for this one and the method called. Others end with
 * UNAUTHENTICATED, and with the time here where that decided, before a handler or a byte of their message is looked at.
 */
export const signedCallsOnly =
  (service: string): ServerInterceptor =>
  ({ path }, call) => {
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, letIn) => {
        try {
          checkCall(metadata, { audience: service, path });
        } catch (error) {
          const refusal = toGrpcStatus(error);
          if (asRagmeshError(error).details['expired']) tellTime(refusal.metadata);
          return call.sendStatus(refusal);
        }
        letIn(metadata);
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
