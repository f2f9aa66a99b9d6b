import { ChannelCredentials, ServerCredentials, type ChannelOptions } from '@grpc/grpc-js';

/** What is shown to the other side, and whom it must come from. */
interface GrpcCertificate {
  /** Authorities (PEM) that certificates of peers must come from; the system's unless given. */
  readonly ca?: Buffer;
  /** Certificate (PEM) of this process: shown to callers, and where `isMutual` to services called. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** How services of one mesh prove to each other who they are. */
export interface GrpcTls extends GrpcCertificate {
  /** Callers must show a certificate, too; who shows none is not even heard. */
  readonly isMutual: boolean;
  /** Name that certificates of peers bear, when that is not the host they are called by. */
  readonly serverName?: string;
  /** Has `listener` told the certificate, key and authorities that are in use: at once, and each time they are renewed. */
  follow?(listener: (latest: GrpcCertificate) => void): void;
}

export const serverCredentials = (tls: GrpcTls | undefined): ServerCredentials =>
  tls ? new RenewedServerCredentials(tls) : ServerCredentials.createInsecure();

export const clientCredentials = (tls: GrpcTls | undefined): ChannelCredentials =>
  tls ? new RenewedChannelCredentials(tls) : ChannelCredentials.createInsecure();

/** Settings of a channel that belong to its credentials. */
export const tlsChannelOptions = (tls: GrpcTls | undefined): ChannelOptions =>
  tls?.serverName === undefined
    ? {}
    : { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName };

// grpc-js has a provider that watches files itself, but it refuses every connection while one of them cannot be used.

class RenewedServerCredentials extends ServerCredentials {
  constructor(tls: GrpcTls) {
    const first = serverCertificate(tls, tls.isMutual);
    super(first._getConstructorOptions(), first._getSecureContextOptions()!);
    // What a renewed context is not told again falls back to a default.
    const ciphers = first._getConstructorOptions()?.ciphers;
    tls.follow?.((latest) => {
      const options = serverCertificate(latest, tls.isMutual)._getSecureContextOptions();
      this.updateSecureContextOptions(options && { ...options, ...(ciphers ? { ciphers } : {}) });
    });
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Makes each connection with the certificate of its time; those that are open go on with theirs. */
class RenewedChannelCredentials extends ChannelCredentials {
  #latest: ChannelCredentials;

  constructor(tls: GrpcTls) {
    super();
    this.#latest = clientCertificate(tls, tls.isMutual);
    tls.follow?.((latest) => (this.#latest = clientCertificate(latest, tls.isMutual)));
  }

  _isSecure(): boolean {
    return true;
  }

  _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  _createSecureConnector(...settings: ConnectorSettings): Connector {
    const first = this.#latest._createSecureConnector(...settings);
    return {
      connect: (socket) => this.#latest._createSecureConnector(...settings).connect(socket),
      waitForReady: () => first.waitForReady(),
      getCallCredentials: () => first.getCallCredentials(),
      destroy: () => first.destroy(),
    };
  }
}

type ConnectorSettings = Parameters<ChannelCredentials['_createSecureConnector']>;
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

const serverCertificate = ({ ca, cert, key }: GrpcCertificate, isMutual: boolean): ServerCredentials =>
  ServerCredentials.createSsl(ca ?? null, [{ private_key: key, cert_chain: cert }], isMutual);

const clientCertificate = ({ ca, cert, key }: GrpcCertificate, isMutual: boolean): ChannelCredentials =>
  isMutual ? ChannelCredentials.createSsl(ca, key, cert) : ChannelCredentials.createSsl(ca);
