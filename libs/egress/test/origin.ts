import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Somebody else's server, on an address of this machine. */
export interface Origin {
  readonly port: number;
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  /** Connections that are open now. */
  connections(): number;
  close(): Promise<void>;
}

async function listening(server: Server, host: string, requests: readonly IncomingMessage[]): Promise<Origin> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, url: `http://${host}:${port}`, requests, connections: () => sockets.size, close };
}

export function startOrigin(answer: RequestListener, host = '127.0.0.1'): Promise<Origin> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  return listening(server, host, requests);
}

/** A server that is free to break HTTP. */
export function startRawOrigin(answer: (socket: Socket) => void): Promise<Origin> {
  const server = createTcpServer((socket) => {
    socket.once('data', () => answer(socket));
  });
  return listening(server, '127.0.0.1', []);
}
