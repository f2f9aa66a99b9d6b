import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';

interface Uploaded {
  readonly id: string;
}

async function json<T>(response: Response): Promise<T> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

const post = (url: string, body: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

/** @returns the id of the accepted document. */
export async function uploadText(url: string, collection: string, text: string): Promise<string> {
  return (await json<Uploaded>(await post(`${url}/v1/documents`, { text, collection }))).id;
}

/** @returns the id of the accepted document; undefined when the file is refused. */
export async function uploadFile(url: string, collection: string, file: string): Promise<string | undefined> {
  const form = new FormData();
  form.append('collection', collection);
  form.append('file', await openAsBlob(file), basename(file));
  const response = await fetch(`${url}/v1/documents`, { method: 'POST', body: form });
  if (response.status >= 400 && response.status < 500) return void (await response.text());
  return (await json<Uploaded>(response)).id;
}

/** Waits until a document is ready or has failed. @returns whether it is ready. */
export async function settled(url: string, id: string): Promise<boolean> {
  for (;;) {
    const { status } = await json<{ status: string }>(await fetch(`${url}/v1/documents/${id}?wait=30`));
    if (status === 'ready') return true;
    if (status === 'failed') return false;
  }
}

export async function waitReady(url: string, id: string): Promise<void> {
  if (!(await settled(url, id))) throw new Error(`Document ${id} failed`);
}

export async function deleteDocument(url: string, id: string): Promise<void> {
  const response = await fetch(`${url}/v1/documents/${id}`, { method: 'DELETE' });
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

/** Texts of all chunks of a document, in order. */
export async function chunkTexts(url: string, id: string): Promise<string[]> {
  const texts: string[] = [];
  for (let cursor = ''; ;) {
    const page = await json<{ data: { text: string }[]; next_cursor: string | null }>(
      await fetch(`${url}/v1/documents/${id}/chunks?limit=200${cursor && `&cursor=${cursor}`}`),
    );
    texts.push(...page.data.map(({ text }) => text));
    if (!page.next_cursor) return texts;
    cursor = page.next_cursor;
  }
}

export interface SearchAnswer {
  readonly results: readonly { readonly document_id: string }[];
  readonly timings: Readonly<Record<string, number>>;
}

export async function search(url: string, body: object): Promise<SearchAnswer> {
  return json<SearchAnswer>(await post(`${url}/v1/search`, body));
}

/** @returns the ids of the documents that an answer cites. */
export async function citedDocuments(url: string, body: object): Promise<string[]> {
  const { citations } = await json<{ citations: { document_id: string }[] }>(await post(`${url}/v1/query`, body));
  return citations.map(({ document_id }) => document_id);
}

/** The 99th percentile of the event loop's delay since the last look, in milliseconds. */
export async function eventLoopDelayMs(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^ragmesh_event_loop_delay_seconds(?:\{[^}]*\})? (\S+)$/m.exec(metrics)?.[1]) * 1000;
}
