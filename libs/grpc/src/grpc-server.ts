import type { DescService } from '@bufbuild/protobuf';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import { MAX_MESSAGE_BYTES } from './message-limit.js';
import { packageDefinition } from './service-definition.js';
import { signedCallsOnly } from './signed-calls.js';
import { serverCredentials, type GrpcTls } from './tls-credentials.js';

/**
 * Nest's gRPC transport for these services on `address` (host:port).
 * @param owner the service that answers: calls that were not signed for it are refused.
 */
export function grpcTransport(
  services: readonly DescService[],
  address: string,
  owner: string,
  tls?: GrpcTls,
): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      url: address,
      package: [...new Set(services.map(({ file }) => file.proto.package))],
      packageDefinition: packageDefinition(services),
      credentials: serverCredentials(tls),
      channelOptions: { interceptors: [signedCallsOnly(owner)] } as GrpcOptions['options']['channelOptions'] & object,
      maxReceiveMessageLength: MAX_MESSAGE_BYTES,
      maxSendMessageLength: MAX_MESSAGE_BYTES,
    },
  };
}
