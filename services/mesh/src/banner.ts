import { serviceNames } from '@ragmesh/contracts';
import { firstRequests } from './first-requests.js';
import type { Mesh } from './start-mesh.js';

/** What a person sees after the start: where everything is, what it runs on, and the first three requests. */
export function banner({ url, dataDir, isGuarded, servers, supervisor }: Mesh, seconds: number): string {
  const rows = servers.described.map(([use, server]) => `  ${use.padEnd(9)}${server}`);
  const pids = serviceNames.map((name) => `${name} ${supervisor.service(name).pid}`);
  const { access, upload, ask, status } = firstRequests(url, isGuarded);
  return `
ragmesh is ready: eight processes (${seconds.toFixed(1)} s)

  URL      ${url}
  Docs     ${url}/docs
  Access   ${access}

${rows.join('\n')}

  Pids     ${pids.slice(0, 4).join(', ')},
           ${pids.slice(4).join(', ')}
  Data     ${dataDir}
  Logs     ${supervisor.logs}

  Upload   ${upload}
  Ask      ${ask}
  Status   ${status}

  Stop     Ctrl+C
`;
}
