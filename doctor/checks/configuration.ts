import { checkConfiguration, meshVariables, processConfig } from '@ragmesh/bootstrap';
import { defineConfig, secretFileName, type AnyConfigDefinition, type Environment } from '@ragmesh/config';
import { isRagmeshError } from '@ragmesh/errors';
import { serviceDatabases } from '../../backup/backup.config.js';
import { fault, type Finding } from '../finding.js';
import { services } from '../services.js';
import type { Mode, Situation } from '../situation.js';

const { LOG_LEVEL, OTEL_EXPORTER_OTLP_ENDPOINT, SENTRY_DSN } = processConfig.variables;
/** What standalone reads besides its services. */
const standaloneConfig = defineConfig({ LOG_LEVEL, OTEL_EXPORTER_OTLP_ENDPOINT, SENTRY_DSN });

const processesOf = (mode: Mode): AnyConfigDefinition[] =>
  mode === 'mesh' ? [processConfig, serviceDatabases] : [standaloneConfig];

/** What `npm run mesh` sees to itself, so that nobody has to set it; only that it is given matters here. */
const givenByMesh = { DATABASE_URL: 'postgresql://its-own', SERVICE_AUTH_KEY: 'made-by-the-mesh-for-its-services' };

function asServicesReadIt({ environment, isLocalMesh }: Situation): Environment {
  const isMissing = ([name]: [string, string]) => !environment[name] && !environment[secretFileName(name)];
  const given = isLocalMesh ? Object.entries(givenByMesh).filter(isMissing) : [];
  return { ...environment, ...Object.fromEntries(given) };
}

/** Every variable of every service, as they would read it when they start. */
export async function checkConfigurationFaults(situation: Situation): Promise<Finding[]> {
  const definitions = [...processesOf(situation.mode), ...services.map(({ config }) => config)];
  try {
    checkConfiguration(definitions, asServicesReadIt(situation), [meshVariables]);
    return [];
  } catch (error) {
    if (!isRagmeshError(error)) throw error;
    const sentences = error.message.split('\n').filter((line) => !line.endsWith(':'));
    return [...new Set(sentences.map((sentence) => sentence.trim()))].map((sentence) =>
      fault(
        sentence,
        'A service that reads it ends at once, with exit code 78 in a mesh.',
        'change it in the environment, in .env or in the chart’s values; the service’s CONFIGURATION.md has the table',
      ),
    );
  }
}
