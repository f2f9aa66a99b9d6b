import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { eventually } from '@ragmesh/testing';

/** The receiving end of reports of unexpected errors, as Sentry has it. */
export class ErrorReportReceiver {
  readonly #envelopes: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.url?.startsWith('/api/7/envelope/')) this.#envelopes.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  static async start(): Promise<ErrorReportReceiver> {
    const receiver = new ErrorReportReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** What `SENTRY_DSN` is set to. */
  dsn(publicKey = 'publickey'): string {
    return `http://${publicKey}@127.0.0.1:${(this.#server.address() as AddressInfo).port}/7`;
  }

  /** The first envelope about a place, as soon as it came. @throws Error when none comes. */
  async about(where: string): Promise<string> {
    const isIt = (envelope: string) => envelope.includes(`"where":"${where}"`);
    return eventually(
      () => `a report about ${where}, only ${this.#envelopes.join('\n')}`,
      () => this.#envelopes.find(isIt),
    );
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
