import type { AnyConfigDefinition } from '@ragmesh/config';

/** Every planted secret holds this, so that one search finds them all. */
export const MARKER = 'plantedmarker';

/** Addresses that the planted secrets are sent to. */
export interface Strangers {
  /** Refuses everyone and repeats their credentials. */
  readonly refusing: string;
  /** A host and port where nobody listens. */
  readonly nobody: string;
}

/** A value for every secret variable there is, each as its variable wants it. */
export function plantedSecrets({ refusing, nobody }: Strangers): Record<string, string> {
  const secret = (name: string): string => `${MARKER}-${name.toLowerCase().replaceAll('_', '-')}`;
  const providers = [{ name: 'second', models: ['m'], base_url: `${refusing}/v1`, api_key: secret('further') }];
  return {
    DATABASE_URL: `postgresql://ragmesh:${secret('database')}@${nobody}/`,
    EMBEDDING_API_KEY: secret('EMBEDDING_API_KEY'),
    HF_TOKEN: secret('HF_TOKEN'),
    KAFKA_SASL_PASSWORD: secret('KAFKA_SASL_PASSWORD'),
    LLM_FURTHER_PROVIDERS: JSON.stringify(providers),
    OPENAI_API_KEY: secret('OPENAI_API_KEY'),
    QDRANT_API_KEY: secret('QDRANT_API_KEY'),
    RAGMESH_BOOTSTRAP_KEY: `rgm_first_${MARKER}${'x'.repeat(50)}`,
    REDIS_URL: `redis://:${secret('redis')}@${nobody}/`,
    S3_SECRET_ACCESS_KEY: secret('S3_SECRET_ACCESS_KEY'),
    SENTRY_DSN: `${refusing.replace('://', `://${MARKER}sentry@`)}/1`,
    SERVICE_AUTH_KEY: secret('the-key-that-services-sign-with'),
  };
}

/** Names of secrets that a definition reads. */
export const secretNames = ({ variables }: AnyConfigDefinition): string[] =>
  Object.entries(variables)
    .filter(([, { spec }]) => spec.isSecret)
    .map(([name]) => name);

/** Names that sound like a secret and are declared as none. */
export const suspiciousNames = ({ variables }: AnyConfigDefinition): string[] =>
  Object.entries(variables)
    .filter(([name, { spec }]) => !spec.isSecret && /KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE|DSN|CREDENTIAL/.test(name))
    .map(([name]) => name);
