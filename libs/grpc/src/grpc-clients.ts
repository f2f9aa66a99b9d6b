import type { DescService } from '@bufbuild/protobuf';
import { createGrpcClient, ownerOf, type GrpcClient } from './grpc-client.js';
import type { GrpcTls } from './tls-credentials.js';

/** Clients of other services, one connection each, made when first asked for. */
export class GrpcClients {
  readonly #clients = new Map<string, GrpcClient<DescService>>();

  /** @param addressOf host:port of a service by its name, `embedding` say. */
  constructor(
    private readonly addressOf: (service: string) => string,
    private readonly tls?: GrpcTls,
  ) {}

  of<Service extends DescService>(service: Service, owner = ownerOf(service)): GrpcClient<Service> {
    const key = `${owner} ${service.typeName}`;
    const known = this.#clients.get(key);
    if (known) return known as GrpcClient<Service>;
    const client = createGrpcClient(service, this.addressOf(owner), owner, this.tls);
    this.#clients.set(key, client as unknown as GrpcClient<DescService>);
    return client;
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}
