import type { Standalone } from './start-standalone.js';

/** What a person sees after the start: where everything is and the first three requests. */
export function banner({ url, dataDir, logFile }: Standalone, seconds: number): string {
  return `
ragmesh is ready (${seconds.toFixed(1)} s)

  URL     ${url}
  Docs    ${url}/docs
  Data    ${dataDir}
  Log     ${logFile}
  Access  no authentication; only this machine can connect

  Upload  curl -F file=@README.md ${url}/v1/documents
  Ask     curl -H 'content-type: application/json' -d '{"query":"What is ragmesh?"}' ${url}/v1/query
  Status  curl ${url}/v1/documents

  Stop    Ctrl+C
`;
}
