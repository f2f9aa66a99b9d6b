import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CollectionRoutes } from './collection-routes.js';
import { PointRoutes } from './point-routes.js';
import { QdrantRefusal, badFormat } from './qdrant-refusal.js';
import type { StoredCollection } from './stored-collection.js';

/** What a route gets: the names in its path, the query string, the body as value and as text. */
export interface Call {
  readonly names: readonly string[];
  readonly wait: boolean;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export type Route = readonly [method: string, path: RegExp, answer: (call: Call) => unknown];

const VERSION = {
  title: 'qdrant - vector search engine',
  version: '1.18.3',
  commit: 'db8fa43fcb6aedec1e739487e17a99731b74590a',
};
const probes: Readonly<Record<string, string>> = {
  '/healthz': 'healthz check passed',
  '/livez': 'healthz check passed',
  '/readyz': 'all shards are ready',
};

export interface StandInOptions {
  readonly firstOfEquals?: readonly string[];
  /** Certificate and key to answer over https with. */
  readonly tls?: ServerOptions;
}

/** What the server holds: collections by name, and aliases of them. */
export interface Storage {
  readonly collections: Map<string, StoredCollection>;
  readonly aliases: Map<string, string>;
  /** Ids that go before others of the same score. A server numbers points at random inside, which decides this there. */
  readonly firstOfEquals: readonly string[];
}

/**
 * Answers the part of Qdrant's REST interface that the vector service uses the way a real server does, from memory. The
 * recordings in `../shared/qdrant` are its specification: a test replays them all.
 */
export class QdrantStandIn {
  private readonly routes: readonly Route[];
  /** What every question but a probe is answered with, as by a gateway before the server that has too much to do. */
  refusal: { readonly status: number; readonly headers: Record<string, string> } | undefined;

  private constructor(
    private readonly server: Server,
    readonly storage: Storage,
    private readonly scheme: 'http' | 'https',
  ) {
    this.routes = [...new CollectionRoutes(this.storage).routes, ...new PointRoutes(this.storage).routes];
  }

  static async start({ firstOfEquals = [], tls }: StandInOptions = {}): Promise<QdrantStandIn> {
    const answer = (request: IncomingMessage, response: ServerResponse) => void standIn.serve(request, response);
    const server = tls ? createTlsServer(tls, answer) : createServer(answer);
    const storage = { collections: new Map(), aliases: new Map(), firstOfEquals };
    const standIn = new QdrantStandIn(server, storage, tls ? 'https' : 'http');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await textOf(request);
    const url = new URL(request.url!, 'http://qdrant');
    const probe = request.method === 'GET' ? probes[url.pathname] : undefined;
    if (probe !== undefined) return send(response, 200, 'text/plain; charset=utf-8', probe);
    if (this.refusal) return void response.writeHead(this.refusal.status, this.refusal.headers).end();
    if (url.pathname === '/') return send(response, 200, 'application/json', JSON.stringify(VERSION));
    const route = this.routes.find(([method, path]) => method === request.method && path.test(url.pathname));
    if (!route) return void response.writeHead(404).end();
    const started = performance.now();
    const answer = (status: number, outcome: object): void => {
      const time = (performance.now() - started) / 1000;
      send(response, status, 'application/json', JSON.stringify({ ...outcome, time }));
    };
    try {
      const names = route[1].exec(url.pathname)!.slice(1).map(decodeURIComponent);
      const call = { names, wait: url.searchParams.get('wait') === 'true', body: parse(text), text };
      answer(200, { result: route[2](call), status: 'ok' });
    } catch (error) {
      if (error instanceof QdrantRefusal) answer(error.status, { status: { error: error.message } });
      else answer(500, { status: { error: `Service internal error: ${String(error)}` } });
    }
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

function parse(text: string): Record<string, unknown> {
  try {
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    throw badFormat('EOF while parsing a list', text);
  }
}
