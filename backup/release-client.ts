import { setTimeout as delay } from 'node:timers/promises';

type Json = Record<string, unknown>;

const WITHIN_MS = 60_000;
const AGAIN_MS = 100;

/** Calls a release that runs, with a key. */
export class ReleaseClient {
  constructor(
    private readonly url: string,
    private readonly key: string,
  ) {}

  /** The same for somebody else. */
  as(key: string): ReleaseClient {
    return new ReleaseClient(this.url, key);
  }

  /** @throws Error when it is refused. */
  async call(method: string, path: string, body?: object): Promise<Json> {
    const isForm = body instanceof FormData;
    const headers = {
      authorization: `Bearer ${this.key}`,
      ...(body && !isForm && { 'content-type': 'application/json' }),
    };
    const content = isForm ? body : JSON.stringify(body);
    const response = await fetch(`${this.url}/v1${path}`, { method, headers, ...(body && { body: content }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return text.startsWith('{') ? (JSON.parse(text) as Json) : {};
  }

  async untilReady(): Promise<void> {
    await this.until('the release is ready', async () => {
      const answer = await fetch(`${this.url}/readyz`).catch(() => undefined); // it does not listen yet
      return answer?.ok ? true : undefined;
    });
  }

  async untilStatus(document: string, status: string): Promise<void> {
    await this.until(`${document} is ${status}`, async () => {
      const { status: found } = await this.call('GET', `/documents/${document}`);
      return found === status ? true : undefined;
    });
  }

  /** @throws Error when there is nothing within a minute. */
  async until<T>(what: string, find: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + WITHIN_MS;
    for (;;) {
      const found = await find();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`Never happened: ${what}.`);
      await delay(AGAIN_MS);
    }
  }
}
