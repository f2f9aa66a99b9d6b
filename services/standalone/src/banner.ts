import type { Standalone } from './start-standalone.js';

/** What a person sees after the start: where everything is and the first three requests. */
export function banner({ url, dataDir, logFile, isGuarded }: Standalone, seconds: number): string {
  const access = isGuarded
    ? 'with a credential; see Who may call in services/gateway'
    : 'no authentication; only this machine can connect';
  const key = isGuarded ? '-H "X-API-Key: $KEY" ' : '';
  return `
ragmesh is ready (${seconds.toFixed(1)} s)

  URL     ${url}
  Docs    ${url}/docs
  Data    ${dataDir}
  Log     ${logFile}
  Access  ${access}

  Upload  curl ${key}-F file=@README.md ${url}/v1/documents
  Ask     curl ${key}-H 'content-type: application/json' -d '{"query":"What is ragmesh?"}' ${url}/v1/query
  Status  curl ${key}${url}/v1/documents

  Stop    Ctrl+C
`;
}
