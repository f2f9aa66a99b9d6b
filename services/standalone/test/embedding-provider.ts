import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of requests with a certain word: they wait until they are let go, or get vectors without direction. */
export interface Trouble {
  /** Resolves when the first such request is here. */
  readonly met: Promise<void>;
  end(): void;
}

/** A provider of vectors behind the OpenAI protocol, which can be told to keep some texts waiting or to fail on them. */
export class EmbeddingProvider {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #held = new Map<string, { meet: () => void; over: Promise<void> }>();
  readonly #failing = new Map<string, () => void>();

  static async start(): Promise<EmbeddingProvider> {
    const provider = new EmbeddingProvider();
    await once(provider.#server.listen(0, '127.0.0.1'), 'listening');
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Keeps requests with this word waiting. */
  hold(word: string): Trouble {
    const met = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    this.#held.set(word, { meet: met.resolve, over: over.promise });
    const end = (): void => {
      this.#held.delete(word);
      over.resolve();
    };
    return { met: met.promise, end };
  }

  /** Gives requests with this word vectors that no model gives. */
  fail(word: string): Trouble {
    const met = Promise.withResolvers<void>();
    this.#failing.set(word, met.resolve);
    return { met: met.promise, end: () => void this.#failing.delete(word) };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const { input } = JSON.parse(Buffer.concat(pieces).toString()) as { input: string[] };
    const has = ([word]: readonly [string, unknown]): boolean => input.some((text) => text.includes(word));
    const held = [...this.#held].find(has)?.[1];
    held?.meet();
    await held?.over;
    const failing = [...this.#failing].find(has)?.[1];
    failing?.();
    const embeddingOf = (text: string): number[] => (failing ? [0, 0, 0] : [text.length, text.charCodeAt(0), 1]);
    response.end(JSON.stringify({ data: input.map((text, index) => ({ index, embedding: embeddingOf(text) })) }));
  }
}
