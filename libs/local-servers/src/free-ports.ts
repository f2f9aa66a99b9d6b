import { createServer } from 'node:net';

/** Below the range systems take outgoing connections from (Linux: 32768 up), so nobody grabs a port of a server that is down. */
const LOWEST = 12_000;
const COUNT = 20_000;
/** Ports between the starting points of two processes with neighbouring ids. */
const STRIDE = 64;

let taken = 0;

/**
 * Ports on 127.0.0.1 that nobody listens on now, never the same twice. A port stays free for anybody until a server listens on
 * it, so each process looks in a corner of its own: servers that are started at the same time do not meet.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = LOWEST + ((process.pid * STRIDE + taken++) % COUNT);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
