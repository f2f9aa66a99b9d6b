import { connect } from 'node:net';
import { fault, type Finding } from '../finding.js';
import type { Situation } from '../situation.js';

/** Whether the edge's port is free or taken by ragmesh itself. */
export async function checkPort({ gateway }: Situation): Promise<Finding[]> {
  const { hostname, port, protocol } = new URL(gateway.url);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  if (!(await isTaken(hostname.replace(/^\[|\]$/g, ''), number))) return [];
  const who = await gateway.whoAnswers();
  if (who === 'ragmesh') return [];
  return [who === 'nobody' ? mute(number) : taken(number)];
}

const taken = (port: number): Finding =>
  fault(
    `Port ${port} is taken by another program.`,
    'The edge cannot listen there, so nothing starts.',
    `lsof -i :${port} names the program: stop it, or set SERVER_PORT to a free port`,
  );

const mute = (port: number): Finding =>
  fault(
    `What has port ${port} takes connections and gives no answer.`,
    'It is the edge, and it hangs, or it is another program, and the edge cannot listen there.',
    `lsof -i :${port} names the program: of the edge see deploy/runbooks/RagmeshEventLoopBlocked.md, another one stop, or set SERVER_PORT to a free port`,
  );

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
