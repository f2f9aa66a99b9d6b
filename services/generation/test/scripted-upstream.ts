import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@ragmesh/testing';

/** A request as the provider got it. */
export interface SeenRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly [field: string]: unknown;
  };
  /** Resolves when the connection of this answer is over. */
  readonly closed: Promise<void>;
  readonly response: ServerResponse;
}

/** What the provider does with a request. */
export type Behaviour = (request: SeenRequest) => unknown;

const event = (data: unknown): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const begin = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });

export const piece = (content: string): string => event({ choices: [{ index: 0, delta: { content } }] });
export const finish = (reason = 'stop'): string => event({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
const usage = event({ choices: [], usage: { prompt_tokens: 100, completion_tokens: 20 } });

/** A whole answer in pieces, with usage, or with an end of another reason. */
export const answering =
  (pieces: readonly string[] | string, reason = 'stop'): Behaviour =>
  ({ response }) => {
    const texts = typeof pieces === 'string' ? (pieces.match(/.{1,7}/gsu) ?? []) : pieces;
    begin(response).end([...texts.map(piece), finish(reason), usage, event('[DONE]')].join(''));
  };

/** Raw lines of an event stream. */
export const sending =
  (text: string, contentType = 'text/event-stream'): Behaviour =>
  ({ response }) =>
    void response.writeHead(200, { 'content-type': contentType }).end(text);

export const refusing =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  ({ response }) =>
    void response.writeHead(status, headers).end('{"error":{"message":"the prompt was: secret"}}');

/** Sends raw lines, then breaks the connection. */
export const breaking =
  (lines: string): Behaviour =>
  ({ response }) =>
    void begin(response).write(lines, () => response.destroy());

/** Begins, then breaks the connection. */
export const cutting = (text: string): Behaviour => breaking(piece(text));

/** Sends raw lines, then says nothing more. */
export const holding =
  (lines: string): Behaviour =>
  ({ response }) =>
    void begin(response).write(lines);

/** Begins, if there is something to begin with, and says nothing more. */
export const silent =
  (text = ''): Behaviour =>
  ({ response }) => {
    if (text !== '') begin(response).write(piece(text));
  };

/** Writes without end, as fast as the reader takes it; `written` counts the characters accepted for sending. */
export function endless(): Behaviour & { readonly written: () => number } {
  let written = 0;
  const block = piece(`${'word '.repeat(2_000)}. `);
  const behaviour: Behaviour = async ({ response, closed }) => {
    begin(response);
    let isOver = false;
    void closed.then(() => (isOver = true));
    while (!isOver) {
      written += block.length;
      if (!response.write(block)) await Promise.race([once(response, 'drain'), closed]);
      await new Promise(setImmediate);
    }
  };
  return Object.assign(behaviour, { written: () => written });
}

/** Resolves once a reader who reads no more has stopped the writer. */
export async function heldBack({ written }: { readonly written: () => number }): Promise<void> {
  let [before, calm] = [-1, 0];
  await eventually('nothing more is written for a while', () => {
    calm = written() === before ? calm + 1 : 0;
    before = written();
    return calm === 15;
  });
}

/** A provider that speaks the OpenAI protocol over real HTTP and does what its script says, the last entry for ever. */
export class ScriptedUpstream {
  readonly seen: SeenRequest[] = [];
  #script: Behaviour[] = [refusing(500)];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ScriptedUpstream> {
    const server = createServer();
    const upstream = new ScriptedUpstream(server);
    server.on('request', (request, response: ServerResponse) => {
      const closed = new Promise<void>((resolve) => response.once('close', resolve));
      let text = '';
      request.setEncoding('utf8').on('data', (more: string) => (text += more));
      request.on('end', () => {
        const seen = { headers: request.headers, body: JSON.parse(text) as SeenRequest['body'], closed, response };
        upstream.seen.push(seen);
        void upstream.#next()(seen);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Forgets what was seen and plays this from now on. */
  plays(...script: Behaviour[]): void {
    this.seen.length = 0;
    this.#script = script;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  #next(): Behaviour {
    return this.#script.length > 1 ? this.#script.shift()! : this.#script[0]!;
  }
}
