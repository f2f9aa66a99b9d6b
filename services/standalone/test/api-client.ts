// By its place: faults/fuzz runs this outside Jest, which the rest of the library cannot do.
import { eventually } from '../../../libs/testing/src/eventually.js';

export interface DocumentView {
  readonly id: string;
  readonly status: string;
  readonly version: number;
  readonly chunks: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** The few calls that specs make as a caller would. */
export class ApiClient {
  /** @param key sent with every call of {@link call}. */
  constructor(
    readonly url: string,
    private readonly key?: string,
  ) {}

  async call(method: string, path: string, json?: unknown, more: Record<string, string> = {}): Promise<Answer> {
    const headers = { ...(this.key ? { authorization: `Bearer ${this.key}` } : {}), ...more };
    const init =
      json === undefined
        ? { method, headers }
        : { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) };
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    return {
      status: response.status,
      body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text },
    };
  }

  upload(document: object, headers?: Record<string, string>): Promise<Answer> {
    return this.call('POST', '/v1/documents', document, headers);
  }

  async uploadFile(name: string, bytes: Uint8Array): Promise<Answer> {
    const form = new FormData();
    form.append('file', new Blob([bytes as Uint8Array<ArrayBuffer>]), name);
    const response = await fetch(`${this.url}/v1/documents`, { method: 'POST', body: form });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  /** Polls until the document is ready or failed. */
  async terminal(id: string, withinMs?: number): Promise<DocumentView> {
    let seen: unknown;
    const ended = async (): Promise<DocumentView | undefined> => {
      const { body } = await this.call('GET', `/v1/documents/${encodeURIComponent(id)}?wait=10`);
      seen = body;
      const document = body as unknown as DocumentView;
      return document.status === 'ready' || document.status === 'failed' ? document : undefined;
    };
    return eventually(() => `document ${id} is ready or failed, only ${JSON.stringify(seen)}`, ended, withinMs);
  }
}
