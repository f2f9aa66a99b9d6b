import { setTimeout as delay } from 'node:timers/promises';

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
  constructor(readonly url: string) {}

  async call(method: string, path: string, json?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
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
  async terminal(id: string, withinMs = 60_000): Promise<DocumentView> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const { body } = await this.call('GET', `/v1/documents/${encodeURIComponent(id)}?wait=10`);
      const document = body as unknown as DocumentView;
      if (document.status === 'ready' || document.status === 'failed') return document;
      if (performance.now() > deadline) throw new Error(`Document ${id} is still ${JSON.stringify(body)}`);
      await delay(50);
    }
  }
}
