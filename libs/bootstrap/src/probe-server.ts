import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { renderMetrics } from '@ragmesh/observability';

export interface Probes {
  /** Whether this process works. Must ask no dependency: a restart would not bring one back. */
  isAlive(): boolean;
  /** Whether it can take work of its role now. */
  isReady(): boolean | Promise<boolean>;
}

export interface ProbeServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * /healthz, /readyz and /metrics of one process, apart from what it serves: answered while the service still starts, and
 * until it has stopped. That it answers at all is the proof that the event loop turns.
 */
export async function startProbeServer(host: string, port: number, probes: Probes): Promise<ProbeServer> {
  const server = createServer((request, response) => void answer(request, response, probes));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => closeNow(server),
  };
}

async function answer({ url, headers }: IncomingMessage, response: ServerResponse, probes: Probes): Promise<void> {
  try {
    const path = url?.split('?', 1)[0];
    if (path === '/healthz') return say(response, probes.isAlive());
    if (path === '/readyz') return say(response, await probes.isReady());
    if (path !== '/metrics') return void response.writeHead(404).end();
    const { contentType, body } = await renderMetrics(headers.accept);
    response.writeHead(200, { 'content-type': contentType }).end(body);
  } catch {
    if (!response.headersSent) response.writeHead(500).end();
  }
}

function say(response: ServerResponse, isFine: boolean): void {
  const body = JSON.stringify({ status: isFine ? 'ok' : 'unavailable' });
  response.writeHead(isFine ? 200 : 503, { 'content-type': 'application/json' }).end(body);
}

async function closeNow(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
