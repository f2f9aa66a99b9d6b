import type { Server as TlsServer } from 'node:tls';
import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestMicroservice } from '@nestjs/microservices/nest-microservice.js';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { CallContextInterceptor, RpcErrorFilter, grpcTransport } from '@ragmesh/grpc';
import type { RagmeshServer } from '@ragmesh/messaging';
import { nestLogger } from '@ragmesh/observability';
import type { CertificateWatch } from './certificate-watch.js';
import { CallServer } from './call-server.js';
import { EdgeDrain } from './edge-drain.js';
import { operatorServices } from './operator-services.js';
import { RuntimeModule, type Runtime } from './runtime.module.js';
import type { AnyServiceDefinition, Drivers, EdgeTls, HttpEdge } from './service-definition.js';

@Module({})
class ServiceRoot {}

/** A service's Nest application with its ways in, none of them open yet. */
export interface ServiceApp {
  readonly app: NestFastifyApplication;
  readonly calls: CallServer;
  readonly edge: EdgeDrain | undefined;
  /** Resolves once calls are answered. */
  answerCalls(): Promise<unknown>;
  /** Resolves once events come in; that needs a place in the consumer group, which a member that died may still hold. */
  takeEvents(): Promise<unknown>;
}

/** Puts the application together. @param certificate what the edge serves HTTPS with; HTTP without. */
export async function createApp(
  definition: AnyServiceDefinition,
  runtime: Runtime,
  events: RagmeshServer,
  drivers: Drivers,
  certificate?: CertificateWatch<EdgeTls>,
): Promise<ServiceApp> {
  const { name, http } = definition;
  const root: DynamicModule = { module: ServiceRoot, imports: [RuntimeModule.with(runtime), definition.module] };
  const app = await NestFactory.create<NestFastifyApplication>(
    root,
    httpAdapter(certificate?.current, http?.trustedProxies?.(runtime.config as never)),
    {
      logger: nestLogger(runtime.logger),
      abortOnError: false,
      bodyParser: http !== undefined,
    },
  );
  certificate?.follow((latest) =>
    (app.getHttpServer() as unknown as TlsServer).setSecureContext(secureContext(latest)),
  );
  const edge = http && new EdgeDrain(app, http);
  if (http) await http.configure(app, runtime.config as never);
  else
    app.useGlobalFilters(new RpcErrorFilter(name, runtime.logger)).useGlobalInterceptors(new CallContextInterceptor());
  const address = drivers.listenAddress?.(name) ?? drivers.grpcAddress(name);
  const calls = new CallServer(
    grpcTransport([...definition.grpc, ...operatorServices], address, name, drivers.grpcTls),
  );
  const callServer = app.connectMicroservice(
    { strategy: calls },
    { inheritAppConfig: !http, deferInitialization: true },
  );
  // The edge's own pipes and filters are for HTTP.
  if (http)
    callServer
      .useGlobalFilters(new RpcErrorFilter(name, runtime.logger))
      .useGlobalInterceptors(new CallContextInterceptor());
  initialise(callServer as NestMicroservice);
  const eventServer = app.connectMicroservice({ strategy: events }, { inheritAppConfig: !http });
  return { app, calls, edge, answerCalls: () => callServer.listen(), takeEvents: () => eventServer.listen() };
}

/** What connecting does when it is not deferred; filters and interceptors count for what is registered after them. */
function initialise(server: NestMicroservice): void {
  server.registerListeners();
  server.setIsInitialized(true);
  server.setIsInitHookCalled(true);
}

/** Requests are checked by our own schemas. Fastify's compilers for its own would be loaded by every service all the same. */
const noSchemas = (): never => {
  throw new Error('Routes have no schemas of Fastify');
};

const secureContext = (tls: EdgeTls) => ({ ...tls, minVersion: 'TLSv1.2' as const });

const httpAdapter = (tls: EdgeTls | undefined, proxies: readonly string[] = []): FastifyAdapter =>
  new FastifyAdapter({
    ...(proxies.length > 0 ? { trustProxy: [...proxies] } : {}),
    ...(tls ? { https: { ...secureContext(tls), requestCert: tls.ca !== undefined } } : {}),
    bodyLimit: 64 * 1024 * 1024,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 4_096 }, // what an id of any script takes in a URL; its length is checked as everything is
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      reply.server.errorHandler(error, request, reply),
  });

/** Connections that may wait to be taken while the server is busy; one more would be dropped, and its client try again a second later. */
const BACKLOG = 4_096;

/** Opens the HTTP edge; gives its URL. */
export async function listen(app: NestFastifyApplication, http: HttpEdge<never>, config: unknown): Promise<string> {
  const { host, port } = http.address(config as never);
  await app.listen({ host, port, backlog: BACKLOG });
  const server = app.getHttpServer();
  const address = server.address() as { port: number };
  const scheme = 'setSecureContext' in server ? 'https' : 'http';
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
