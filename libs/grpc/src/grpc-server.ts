import type { DescService } from '@bufbuild/protobuf';
import { Transport, type GrpcOptions } from '@nestjs/microservices';
import { MAX_MESSAGE_BYTES } from './message-limit.js';
import { packageDefinition } from './service-definition.js';
import { signedCallsOnly } from './signed-calls.js';
import { serverCredentials, type GrpcTls } from './tls-credentials.js';

/**
 * How long clients keep a connection before they look their service's name up again: only then do copies that were added get
 * calls. Calls that run go on, as long as the longest of them may take.
 */
const CONNECTIONS = { ageMs: 60_000, graceMs: 600_000 };

/**
 * Nest's gRPC transport for these services on `address` (host:port).
 * @param owner the service that answers: calls that were not signed for it are refused.
 */
export function grpcTransport(
  services: readonly DescService[],
  address: string,
  owner: string,
  tls?: GrpcTls,
  connections = CONNECTIONS,
): GrpcOptions {
  const channelOptions = {
    interceptors: [signedCallsOnly(owner)],
    'grpc.max_connection_age_ms': connections.ageMs,
    'grpc.max_connection_age_grace_ms': connections.graceMs,
  };
  return {
    transport: Transport.GRPC,
    options: {
      url: address,
      package: [...new Set(services.map(({ file }) => file.proto.package))],
      packageDefinition: packageDefinition(services),
      credentials: serverCredentials(tls),
      channelOptions: channelOptions as GrpcOptions['options']['channelOptions'] & object,
      maxReceiveMessageLength: MAX_MESSAGE_BYTES,
      maxSendMessageLength: MAX_MESSAGE_BYTES,
    },
  };
}
