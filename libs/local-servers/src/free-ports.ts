import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range systems take outgoing connections from (Linux: 32768 up), so nobody grabs a port of a server that is down. */
const LOWEST = 12_000;
const HIGHEST = 32_000;

/**
 * TCP ports on 127.0.0.1 that nobody listens on now, and that nobody else gets from here while this process lives: not before
 * its server listens, not while that is down, not after it, when clients of old may still call.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if ((await reserve(port)) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

/** The UDP port of the same number is the sign, for all processes: the system gives it to one and takes it back when that ends. */
async function reserve(port: number): Promise<boolean> {
  const sign = createSocket('udp4');
  sign.bind({ port, address: '127.0.0.1', exclusive: true });
  try {
    await once(sign, 'listening');
  } catch {
    return false; // somebody else's
  }
  sign.unref();
  return true;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
