import { sentryDsn, serviceAuthKey } from '@ragmesh/bootstrap';
import { defineConfig, oneOf, string, url, type ConfigOf } from '@ragmesh/config';

/** What the composition itself reads; each service adds its own. */
export const standaloneConfig = defineConfig({
  RAGMESH_DATA_DIR: string().default('.ragmesh').describe('Folder of everything that is kept: database, blobs, models'),
  RAGMESH_MODE: oneOf('standalone').default('standalone').describe('How ragmesh runs'),
  RAGMESH_TOPIC_PREFIX: string().default('').describe('Put in front of every topic name'),
  SERVICE_AUTH_KEY: serviceAuthKey().optional(),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error').default('info').describe('Least level that is logged'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https')
    .optional()
    .describe('Where traces go (OTLP over HTTP); not exported without it'),
  SENTRY_DSN: sentryDsn(),
});

export type StandaloneConfig = ConfigOf<typeof standaloneConfig>;
