import { serviceNames } from '@ragmesh/contracts';
import type { Mesh } from './start-mesh.js';

/** What a person sees after the start: where everything is, what it runs on, and the first three requests. */
export function banner({ url, dataDir, servers, supervisor }: Mesh, seconds: number): string {
  const rows = servers.described.map(([use, server]) => `  ${use.padEnd(9)}${server}`);
  const pids = serviceNames.map((name) => `${name} ${supervisor.service(name).pid}`);
  return `
ragmesh is ready: eight processes (${seconds.toFixed(1)} s)

  URL      ${url}
  Docs     ${url}/docs
  Access   no authentication; only this machine can connect

${rows.join('\n')}

  Pids     ${pids.slice(0, 4).join(', ')},
           ${pids.slice(4).join(', ')}
  Data     ${dataDir}
  Logs     ${supervisor.logs}

  Upload   curl -F file=@README.md ${url}/v1/documents
  Ask      curl -H 'content-type: application/json' -d '{"query":"What is ragmesh?"}' ${url}/v1/query
  Status   curl ${url}/v1/documents

  Stop     Ctrl+C
`;
}
