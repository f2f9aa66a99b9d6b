import { connect } from 'node:net';
import { fault, type Finding } from '../finding.js';
import type { Situation } from '../situation.js';

/** Whether the edge's port is free or taken by ragmesh itself. */
export async function checkPort({ gateway }: Situation): Promise<Finding[]> {
  const { hostname, port, protocol } = new URL(gateway.url);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  if (!(await isTaken(hostname.replace(/^\[|\]$/g, ''), number)) || (await gateway.isRagmesh())) return [];
  return [
    fault(
      `Port ${number} is taken by another program.`,
      'The edge cannot listen there, so nothing starts.',
      `lsof -i :${number} names the program: stop it, or set SERVER_PORT to a free port`,
    ),
  ];
}

function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    const settle = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.setTimeout(3_000, () => settle(false));
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
