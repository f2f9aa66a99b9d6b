import { Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { CallContextInterceptor, RpcErrorFilter, grpcTransport } from '@ragmesh/grpc';
import type { RagmeshServer } from '@ragmesh/messaging';
import { nestLogger } from '@ragmesh/observability';
import { CallServer } from './call-server.js';
import { EdgeDrain } from './edge-drain.js';
import { operatorServices } from './operator-services.js';
import { RuntimeModule, type Runtime } from './runtime.module.js';
import type { AnyServiceDefinition, Drivers, HttpEdge } from './service-definition.js';

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

/** Puts the application together. */
export async function createApp(
  definition: AnyServiceDefinition,
  runtime: Runtime,
  events: RagmeshServer,
  drivers: Drivers,
): Promise<ServiceApp> {
  const { name, http } = definition;
  const root: DynamicModule = { module: ServiceRoot, imports: [RuntimeModule.with(runtime), definition.module] };
  const app = await NestFactory.create<NestFastifyApplication>(root, httpAdapter(), {
    logger: nestLogger(runtime.logger),
    abortOnError: false,
    bodyParser: http !== undefined,
  });
  const edge = http && new EdgeDrain(app, http);
  if (http) await http.configure(app, runtime.config as never);
  else app.useGlobalFilters(new RpcErrorFilter()).useGlobalInterceptors(new CallContextInterceptor());
  const address = drivers.listenAddress?.(name) ?? drivers.grpcAddress(name);
  const calls = new CallServer(grpcTransport([...definition.grpc, ...operatorServices], address));
  const callServer = app.connectMicroservice({ strategy: calls }, { inheritAppConfig: !http });
  const eventServer = app.connectMicroservice({ strategy: events }, { inheritAppConfig: !http });
  return { app, calls, edge, answerCalls: () => callServer.listen(), takeEvents: () => eventServer.listen() };
}

const httpAdapter = (): FastifyAdapter =>
  new FastifyAdapter({
    bodyLimit: 64 * 1024 * 1024,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      reply.server.errorHandler(error, request, reply),
  });

/** Opens the HTTP edge; gives its URL. */
export async function listen(app: NestFastifyApplication, http: HttpEdge<never>, config: unknown): Promise<string> {
  const { host, port } = http.address(config as never);
  await app.listen({ host, port });
  const address = app.getHttpServer().address() as { port: number };
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}
