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

export async function waitReady(url: string, id: string): Promise<void> {
  for (;;) {
    const { status } = await json<{ status: string }>(await fetch(`${url}/v1/documents/${id}?wait=30`));
    if (status === 'ready') return;
    if (status === 'failed') throw new Error(`Document ${id} failed`);
  }
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
