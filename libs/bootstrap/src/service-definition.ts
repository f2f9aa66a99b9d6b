import type { DescService } from '@bufbuild/protobuf';
import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AnyConfigDefinition, ConfigDefinition, Setting, TlsMaterial, Variables } from '@ragmesh/config';
import type { ServiceName } from '@ragmesh/contracts';
import type { GrpcTls } from '@ragmesh/grpc';
import type { BusDriver } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import type { Database } from '@ragmesh/postgres';
import type { FastifyReply } from 'fastify';

/** What an HTTPS server is made of (PEM). With `ca`, clients must show a certificate of one of these authorities. */
export type EdgeTls = Required<Pick<TlsMaterial, 'cert' | 'key'>> & Pick<TlsMaterial, 'ca'>;

/** Where a service listens for HTTP, and what its server needs before it does. */
export interface HttpEdge<Config> {
  address(config: Config): { host: string; port: number };
  /** Certificate and key it serves HTTPS with, as they are at the moment; HTTP without. */
  tls?(config: Config): EdgeTls | undefined;
  /** Addresses and ranges (CIDR) whose X-Forwarded-For says where a request comes from; nobody's without. */
  trustedProxies?(config: Config): readonly string[];
  configure(app: NestFastifyApplication, config: Config): Promise<void>;
  /** Ends an event stream that outlives the server with an event that says "come again". */
  endStream?(app: NestFastifyApplication, reply: FastifyReply): void;
}

/** Everything that makes a service: the composition root says how it runs. */
export interface ServiceDefinition<V extends Variables = Variables> {
  readonly name: ServiceName;
  readonly config: ConfigDefinition<V>;
  /** Nest module; finds its runtime in the providers of {@link RuntimeModule}. */
  readonly module: Type;
  /** What it answers over gRPC. */
  readonly grpc: readonly DescService[];
  /** Its `prisma/migrations` folder. */
  readonly migrations: string;
  readonly http?: HttpEdge<never>;
}

export type AnyServiceDefinition = Omit<ServiceDefinition, 'config'> & { readonly config: AnyConfigDefinition };

/** Whether this process works, and whether it can take requests. */
export interface ProcessHealth {
  isAlive(): boolean;
  isReady(): boolean;
}

/** What differs between the ways to run; nothing in a service asks which it is. */
export interface Drivers {
  readonly bus: BusDriver;
  /** Connection string of a service's own database. */
  databaseUrl(service: ServiceName): string;
  /** Opens it; each service has a pool of its own. */
  openDatabase(service: ServiceName): Database;
  /** host:port at which a service answers gRPC. */
  grpcAddress(service: string): string;
  /** Where a service of this process listens for gRPC, when that is not where others find it. */
  listenAddress?(service: ServiceName): string;
  /** How services prove to each other who they are; nothing is encrypted without it. */
  readonly grpcTls?: GrpcTls;
  /** Longest time in ms for what runs when a service is closed; then it is broken off. Default 10,000. */
  readonly drainMs?: number;
  /** What the process reads besides its services. */
  readonly settings?: readonly Setting[];
  logger(service: ServiceName): Logger;
  readonly health: ProcessHealth;
}
