import { createServer } from 'node:net';

/** Below the range systems take outgoing connections from (Linux: 32768 up), so nobody grabs a port of a server that is down. */
const LOWEST = 12_000;
const HIGHEST = 32_000;

/** Ports on 127.0.0.1 that nobody listens on now. Random, so that servers started at the same time rarely meet. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
