import { firstRequests } from '@ragmesh/service-mesh/first-requests';
import type { Standalone } from './start-standalone.js';

/** What a person sees after the start: where everything is and the first three requests. */
export function banner({ url, dataDir, logFile, isGuarded }: Standalone, seconds: number): string {
  const { access, upload, ask, status } = firstRequests(url, isGuarded);
  return `
ragmesh is ready (${seconds.toFixed(1)} s)

  URL     ${url}
  Docs    ${url}/docs
  Data    ${dataDir}
  Log     ${logFile}
  Access  ${access}

  Upload  ${upload}
  Ask     ${ask}
  Status  ${status}

  Stop    Ctrl+C
`;
}
