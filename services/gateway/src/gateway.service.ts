import { fileURLToPath } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { gatewayConfig, type GatewayConfig } from './gateway.config.js';
import { GatewayModule } from './gateway.module.js';
import { configureHttp } from './http/configure-http.js';
import { endStream } from './http/end-stream.js';
import { serverTls } from './http/server-tls.js';

/** The HTTP and SSE edge: the only service a client talks to. */
export const gatewayService = {
  name: 'gateway',
  config: gatewayConfig,
  module: GatewayModule,
  grpc: [],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
  http: {
    address: ({ SERVER_HOST, SERVER_PORT }: GatewayConfig) => ({ host: SERVER_HOST, port: SERVER_PORT }),
    tls: serverTls,
    trustedProxies: ({ SERVER_TRUSTED_PROXIES }: GatewayConfig) => SERVER_TRUSTED_PROXIES,
    configure: (app: NestFastifyApplication, config: GatewayConfig) => configureHttp(app, config),
    endStream,
  },
} satisfies ServiceDefinition<typeof gatewayConfig.variables>;
