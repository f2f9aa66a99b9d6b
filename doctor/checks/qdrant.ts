import { readTlsFiles } from '@ragmesh/config';
import { vectorService } from '@ragmesh/service-vector';
import { Agent, fetch } from 'undici';
import { fault, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

const ANSWER_WITHIN_MS = 5_000;
const all = vectorService.config.variables;
const variables = {
  ...{ VECTOR_STORE: all.VECTOR_STORE, QDRANT_URL: all.QDRANT_URL, QDRANT_API_KEY: all.QDRANT_API_KEY },
  ...{ QDRANT_TLS_CA_FILE: all.QDRANT_TLS_CA_FILE, QDRANT_TLS_CERT_FILE: all.QDRANT_TLS_CERT_FILE },
  ...{ QDRANT_TLS_KEY_FILE: all.QDRANT_TLS_KEY_FILE },
};

/** Whether Qdrant answers and takes our key, where vectors are kept there. */
export async function checkQdrant(situation: Situation): Promise<Finding[]> {
  const config = read(situation, variables);
  if (config?.VECTOR_STORE !== 'qdrant' || config.QDRANT_URL === undefined) return [];
  const dispatcher = new Agent({ connect: readTlsFiles(config, 'QDRANT') ?? {} });
  const headers = config.QDRANT_API_KEY === undefined ? {} : { 'api-key': config.QDRANT_API_KEY };
  const { host } = new URL(config.QDRANT_URL);
  try {
    const url = `${config.QDRANT_URL.replace(/\/$/, '')}/collections`;
    const { status } = await fetch(url, { headers, dispatcher, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (status === 401 || status === 403) return [refused(host, status)];
    return status === 200 ? [] : [unusable(host, `status ${status}`)];
  } catch (error) {
    const { cause, name } = error as { cause?: { code?: string }; name: string };
    return [unusable(host, cause?.code ?? name)];
  } finally {
    await dispatcher.destroy();
  }
}

const why = 'Documents cannot be indexed and searches fail with VECTOR.UNAVAILABLE.';

const refused = (host: string, status: number): Finding =>
  fault(
    `Qdrant at ${host} refuses our key (status ${status}).`,
    why,
    'set QDRANT_API_KEY, or QDRANT_API_KEY_FILE, to the key of its service.api_key',
  );

const unusable = (host: string, reason: string): Finding =>
  fault(
    `Qdrant at ${host} cannot be used (${reason}).`,
    why,
    'curl -sS "$QDRANT_URL/readyz"; check QDRANT_URL, and for https QDRANT_TLS_CA_FILE',
  );
