import { readFileSync } from 'node:fs';
import { Agent, fetch } from 'undici';

const ANSWER_WITHIN_MS = 8_000;

export interface GatewayOptions {
  readonly url: string;
  /** An API key with the role operator, where the edge asks for one. */
  readonly key: string | undefined;
  /** Certificate the edge serves HTTPS with, as it is configured here. */
  readonly certificate: string | undefined;
}

export interface GatewayAnswer {
  readonly status: number;
  /** When it says it answered; undefined when it does not say. */
  readonly date: Date | undefined;
  readonly text: string;
}

/** The edge of a running ragmesh, as its operator sees it. */
export class Gateway {
  readonly #dispatcher: Agent | undefined;

  constructor(private readonly options: GatewayOptions) {
    const { certificate } = options;
    // The very certificate the edge is configured with is trusted: whoever vouches for it and whatever name it bears.
    if (certificate === undefined) return;
    const connect = {
      ca: readFileSync(certificate),
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
    };
    this.#dispatcher = new Agent({ connect });
  }

  get url(): string {
    return this.options.url;
  }

  get hasKey(): boolean {
    return this.options.key !== undefined;
  }

  /** Undefined when nobody answers. */
  async ask(path: string): Promise<GatewayAnswer | undefined> {
    const { url, key } = this.options;
    try {
      const answer = await fetch(url + path, {
        headers: key === undefined ? {} : { 'x-api-key': key },
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        ...(this.#dispatcher ? { dispatcher: this.#dispatcher } : {}),
      });
      const date = answer.headers.get('date');
      return { status: answer.status, date: date === null ? undefined : new Date(date), text: await answer.text() };
    } catch {
      return undefined;
    }
  }

  /** The JSON of an answer with status 200, else undefined: what answers may be another program. */
  async json<T>(path: string): Promise<T | undefined> {
    const answer = await this.ask(path);
    if (answer?.status !== 200) return undefined;
    try {
      return JSON.parse(answer.text) as T;
    } catch {
      return undefined;
    }
  }

  /** Who answers there: a ragmesh, another program, or nobody. */
  async whoAnswers(): Promise<'ragmesh' | 'another' | 'nobody'> {
    const answer = await this.ask('/healthz');
    if (answer === undefined) return 'nobody';
    return /^\{"status":"(ok|unavailable)"\}$/.test(answer.text) ? 'ragmesh' : 'another';
  }

  async close(): Promise<void> {
    await this.#dispatcher?.close();
  }
}
