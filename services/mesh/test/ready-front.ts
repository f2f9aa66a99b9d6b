import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceCopy } from './service-copy.js';

const PROBE_EVERY_MS = 100;

/** A copy behind the front: where it serves and where its probes are. */
export interface Target {
  readonly url: string;
  readonly probeUrl: string;
}

export const targetOf = ({ environment, probeUrl }: ServiceCopy): Target => ({
  url: `http://127.0.0.1:${environment['SERVER_PORT']}`,
  probeUrl,
});

/** What stands before several copies of a server anywhere: requests in turn to those that say they are ready; no retries. */
export class ReadyFront {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #targets: (Target & { ready: boolean })[] = [];
  #turn = 0;
  #closed = false;
  readonly #server: Server = createServer((incoming, outgoing) => this.#forward(incoming, outgoing));

  static async start(): Promise<ReadyFront> {
    const front = new ReadyFront();
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    void front.#probe();
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(target: Target): void {
    this.#targets.push({ ...target, ready: true });
  }

  remove({ url }: Target): void {
    this.#targets.splice(
      this.#targets.findIndex((target) => target.url === url),
      1,
    );
  }

  close(): void {
    this.#closed = true;
    this.#agent.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #probe(): Promise<void> {
    while (!this.#closed) {
      for (const target of this.#targets) {
        const answer = await fetch(`${target.probeUrl}/readyz`).catch(() => undefined);
        target.ready = answer?.status === 200;
      }
      await delay(PROBE_EVERY_MS, undefined, { ref: false });
    }
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const ready = this.#targets.filter((target) => target.ready);
    const target = ready[this.#turn++ % ready.length];
    if (!target) return void outgoing.writeHead(599, 'no copy is ready').end();
    const { method, url, headers } = incoming;
    const onward = request(target.url + url, { method, headers, agent: this.#agent }, (answer) => {
      const { connection: _hop, ...end } = answer.headers;
      outgoing.writeHead(answer.statusCode!, end);
      answer.on('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    onward.on('error', (error) => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(598, error.message.replaceAll(/[^ -~]/g, ' ')).end();
    });
    incoming.pipe(onward);
  }
}
