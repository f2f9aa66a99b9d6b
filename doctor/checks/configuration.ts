import { checkConfiguration, meshVariables, processConfig } from '@ragmesh/bootstrap';
import { defineConfig, type AnyConfigDefinition } from '@ragmesh/config';
import { isRagmeshError } from '@ragmesh/errors';
import { fault, type Finding } from '../finding.js';
import { services } from '../services.js';
import type { Mode, Situation } from '../situation.js';

const { LOG_LEVEL, OTEL_EXPORTER_OTLP_ENDPOINT, SENTRY_DSN } = processConfig.variables;
/** What standalone reads besides its services. */
const standaloneConfig = defineConfig({ LOG_LEVEL, OTEL_EXPORTER_OTLP_ENDPOINT, SENTRY_DSN });

const processOf = (mode: Mode): AnyConfigDefinition => (mode === 'mesh' ? processConfig : standaloneConfig);

/** Every variable of every service, as they would read it when they start. */
export async function checkConfigurationFaults({ mode, environment }: Situation): Promise<Finding[]> {
  try {
    checkConfiguration([processOf(mode), ...services.map(({ config }) => config)], environment, [meshVariables]);
    return [];
  } catch (error) {
    if (!isRagmeshError(error)) throw error;
    const sentences = error.message.split('\n').filter((line) => !line.endsWith(':'));
    return [...new Set(sentences.map((sentence) => sentence.trim()))].map((sentence) =>
      fault(
        sentence,
        'A service that reads it ends at once, with exit code 78 in a mesh.',
        'change it in the environment, in .env or in the chart’s values; the README of the service has the table',
      ),
    );
  }
}
