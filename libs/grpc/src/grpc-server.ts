import type { DescService } from '@bufbuild/protobuf';
import { ServerCredentials } from '@grpc/grpc-js';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import { packageDefinition } from './service-definition.js';

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Nest's gRPC transport for these services on `address` (host:port). */
export function grpcTransport(services: readonly DescService[], address: string): GrpcOptions {
  return {
    transport: Transport.GRPC,
    options: {
      url: address,
      package: [...new Set(services.map(({ file }) => file.proto.package))],
      packageDefinition: packageDefinition(services),
      credentials: ServerCredentials.createInsecure(),
      maxReceiveMessageLength: MAX_MESSAGE_BYTES,
      maxSendMessageLength: MAX_MESSAGE_BYTES,
    },
  };
}
