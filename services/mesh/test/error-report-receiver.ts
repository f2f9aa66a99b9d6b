import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

const WITHIN_MS = 30_000;

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
    const deadline = performance.now() + WITHIN_MS;
    for (;;) {
      const found = this.#envelopes.find((envelope) => envelope.includes(`"where":"${where}"`));
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`No report about ${where}, only ${this.#envelopes.join('\n')}`);
      await delay(20);
    }
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}
