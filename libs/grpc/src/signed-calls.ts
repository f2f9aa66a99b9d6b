import { ResponderBuilder, ServerInterceptingCall, ServerListenerBuilder, type ServerInterceptor } from '@grpc/grpc-js';
import { checkCall } from './call-metadata.js';
import { toGrpcStatus } from './grpc-error.js';

/**
 * Lets in calls only that a service of this installation signed for this one and the method called. Others end with
 * UNAUTHENTICATED before a handler or a byte of their message is looked at.
 */
export const signedCallsOnly =
  (service: string): ServerInterceptor =>
  ({ path }, call) => {
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, letIn) => {
        try {
          checkCall(metadata, { audience: service, path });
        } catch (error) {
          return call.sendStatus(toGrpcStatus(error));
        }
        letIn(metadata);
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
