import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { HttpEdge } from './service-definition.js';

/** How often connections that became idle are closed while others still work. */
const SWEEP_MS = 50;
/** A connection on which no request begins for this long is a spare one of its client; Node counts it as idle only after its first. */
const SPARE_AFTER_MS = 1_000;
/** Time for the last bytes of answers that were broken off. */
const FLUSH_MS = 200;

/** Takes an HTTP edge out of service without breaking off an answer that can still be given. */
export class EdgeDrain {
  readonly #open = new Set<FastifyReply>();
  #draining = false;
  #quietSince = 0;

  constructor(
    private readonly app: NestFastifyApplication,
    private readonly edge: HttpEdge<never>,
  ) {
    const server = app.getHttpAdapter().getInstance();
    server.addHook('onRequest', (_request, reply, done) => {
      if (this.#draining) void reply.header('connection', 'close');
      this.#open.add(reply);
      reply.raw.once('close', () => this.#open.delete(reply));
      done();
    });
  }

  /** From now on each answer closes its connection, so that the client's next request goes to another copy. */
  begin(): void {
    this.#draining = true;
  }

  /** Takes no new connection, gives what is under way until the deadline, then ends streams with an event and cuts the rest. */
  async finish(deadlineMs: number): Promise<void> {
    this.begin();
    const server = this.app.getHttpServer() as Server;
    if (!server.listening) return;
    const closed = new Promise<true>((resolve) => server.close(() => resolve(true)));
    this.#quietSince = performance.now();
    const sweep = setInterval(() => this.#sweep(server), SWEEP_MS);
    try {
      if (await Promise.race([closed, delay(deadlineMs, false, { ref: false })])) return;
      for (const reply of this.#open) this.#endStream(reply);
      if (await Promise.race([closed, delay(FLUSH_MS, false)])) return;
      server.closeAllConnections();
      await closed;
    } finally {
      clearInterval(sweep);
    }
  }

  #sweep(server: Server): void {
    server.closeIdleConnections();
    if (this.#open.size > 0) this.#quietSince = performance.now();
    else if (performance.now() - this.#quietSince > SPARE_AFTER_MS) server.closeAllConnections();
  }

  #endStream(reply: FastifyReply): void {
    const type = String(reply.getHeader('content-type') ?? ''); // a raw response forgets what it wrote
    if (type.startsWith('text/event-stream') && !reply.raw.writableEnded) this.edge.endStream?.(this.app, reply);
  }
}
