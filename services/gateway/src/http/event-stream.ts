import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { scopeOf } from './request-scope.js';

const PING_MS = 15_000;
/** A comment line: proxies see traffic, clients see nothing. */
const PING = ': ping\n\n';

/** One event in the form of the HTML standard's event stream. Data is JSON, so it never holds a line break. */
export const encodeEvent = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** An event without a name, as most other systems send theirs. */
export const encodeData = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

/** What a reader gets to take what is left once his answer must be over. */
const LAST_MS = 1_000;

/**
 * Server-sent events over one response: at the reader's pace, with pings, and over when the reader leaves. One who stays
 * without reading is hung up on when his answer must be over: he would keep his place among the streams for ever.
 */
export class EventStream {
  static readonly headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' } as const;

  readonly #ping: NodeJS.Timeout;

  private constructor(
    private readonly reply: FastifyReply,
    private readonly clientLeft: AbortSignal,
  ) {
    this.#ping = setInterval(() => this.#pingIdleReader(), PING_MS).unref();
    const { endsAt } = scopeOf(reply);
    if (endsAt === undefined) return;
    const leftMs = Math.max(0, endsAt - performance.now()) + LAST_MS;
    const hangUp = setTimeout(() => reply.raw.destroy(), leftMs).unref();
    reply.raw.once('close', () => clearTimeout(hangUp));
  }

  /**
   * Sends the head of the response; what fails from here on is an `error` event.
   * @throws RagmeshError OVERLOAD.SHED when as many streams are open as may be.
   */
  static open(reply: FastifyReply): EventStream {
    const { slot, clientLeft } = scopeOf(reply);
    slot.becomeStream();
    void reply.headers(EventStream.headers);
    void reply.hijack();
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>);
    reply.raw.flushHeaders();
    return new EventStream(reply, clientLeft);
  }

  /** Resolves once the reader can take more. Does nothing when the reader has left. */
  send(event: string, data: unknown): Promise<void> {
    return this.write(encodeEvent(event, data));
  }

  /** As {@link send}. @param block a whole event, ending in an empty line. */
  async write(block: string): Promise<void> {
    const { raw } = this.reply;
    if (this.clientLeft.aborted || raw.writableEnded) return;
    if (raw.write(block)) return;
    await once(raw, 'drain', { signal: this.clientLeft }).catch(() => undefined);
  }

  end(): void {
    clearInterval(this.#ping);
    if (!this.reply.raw.writableEnded) this.reply.raw.end();
  }

  #pingIdleReader(): void {
    const { raw } = this.reply;
    if (!raw.writableEnded && !raw.writableNeedDrain) raw.write(PING);
  }
}
