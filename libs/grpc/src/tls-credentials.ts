import { ServerCredentials, credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';

/** How services of one mesh prove to each other who they are. */
export interface GrpcTls {
  /** Authorities (PEM) that certificates of peers must come from; the system's unless given. */
  readonly ca?: Buffer;
  /** Certificate (PEM) of this process: shown to callers, and where `isMutual` to services called. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Callers must show a certificate, too; who shows none is not even heard. */
  readonly isMutual: boolean;
  /** Name that certificates of peers bear, when that is not the host they are called by. */
  readonly serverName?: string;
}

export function serverCredentials(tls: GrpcTls | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const { ca = null, cert, key, isMutual } = tls;
  return ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], isMutual);
}

export function clientCredentials(tls: GrpcTls | undefined): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { ca = null, cert, key, isMutual } = tls;
  return isMutual ? credentials.createSsl(ca, key, cert) : credentials.createSsl(ca);
}

/** Settings of a channel that belong to its credentials. */
export const tlsChannelOptions = (tls: GrpcTls | undefined): ChannelOptions =>
  tls?.serverName === undefined
    ? {}
    : { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName };
