import { setTimeout as delay } from 'node:timers/promises';

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly retry_after?: number;
}

interface DocumentState {
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

const MAX_ATTEMPTS = 8;
const LONG_POLL_SECONDS = 30;
const READY_WITHIN_MS = 30 * 60_000;

/** A ragmesh over HTTP, as any of its users sees it. Busy answers (429, 503) are repeated after `Retry-After`. */
export class RagmeshClient {
  constructor(
    private readonly url: string,
    private readonly apiKey?: string,
  ) {}

  /** Uploads one document as one ready-made chunk. Answers false when the server refuses it as empty. */
  async upload(collection: string, id: string, text: string): Promise<boolean> {
    const response = await this.send('POST', '/v1/documents', { id, collection, chunks: [{ text }] });
    if (response.ok) return true;
    const problem = (await response.json()) as Problem;
    if (problem.code === 'DOCUMENT.EMPTY' || (text === '' && response.status < 500)) return false;
    throw new Error(`Document ${id}: ${response.status} ${problem.code ?? ''} ${problem.detail ?? ''}`);
  }

  /** Waits until the document is ready. Answers false when it failed as empty; throws when it failed otherwise. */
  async waitUntilReady(id: string): Promise<boolean> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadline) {
      const { status, error } = await this.json<DocumentState>('GET', `/v1/documents/${id}?wait=${LONG_POLL_SECONDS}`);
      if (status === 'ready') return true;
      if (status === 'failed' && (error?.code === 'DOCUMENT.EMPTY' || error?.code === 'DOCUMENT.NO_TEXT')) return false;
      if (status === 'failed') throw new Error(`Document ${id} failed: ${error?.code} ${error?.message}`);
    }
    throw new Error(`Document ${id} was not ready within ${READY_WITHIN_MS / 60_000} minutes.`);
  }

  /** Ids of the documents found, best first, each once. @param fields further ones of the request. */
  async search(collection: string, query: string, fields: object, topK: number): Promise<string[]> {
    const body = { ...fields, query, collection, top_k: topK };
    const { results, degraded } = await this.json<{ results: { document_id: string }[]; degraded?: string[] }>(
      'POST',
      '/v1/search',
      body,
    );
    if (degraded?.length)
      throw new Error(`The search was degraded (${degraded.join(', ')}); its figures would mislead.`);
    return [...new Set(results.map(({ document_id }) => document_id))];
  }

  private async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    if (response.ok) return (await response.json()) as T;
    const problem = (await response.json().catch(() => ({}))) as Problem;
    throw new Error(`${method} ${path}: ${response.status} ${problem.code ?? ''} ${problem.detail ?? ''}`);
  }

  private unanswered(error: unknown): never {
    const { cause } = error as { cause?: { code?: string } };
    const reason = cause?.code ?? 'the connection failed';
    throw new Error(
      `No ragmesh answers at ${this.url} (${reason}): start one with npm start, correct --url, or leave it out to have one started.`,
    );
  }

  private async send(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (this.apiKey) headers['authorization'] = `Bearer ${this.apiKey}`;
    const init = {
      method,
      headers: body === undefined ? {} : headers,
      body: body === undefined ? null : JSON.stringify(body),
    };
    if (this.apiKey && body === undefined) init.headers = { authorization: `Bearer ${this.apiKey}` };
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(new URL(path, this.url), init).catch((error: unknown) => this.unanswered(error));
      const isBusy = response.status === 429 || response.status === 503;
      if (!isBusy || attempt === MAX_ATTEMPTS) return response;
      await response.body?.cancel();
      await delay(1_000 * (Number(response.headers.get('retry-after')) || 2 ** Math.min(attempt - 1, 4)));
    }
  }
}
