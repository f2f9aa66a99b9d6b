import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEdgeWithDocuments, type EdgeWithDocuments } from './edge-with-documents.js';

let edge: EdgeWithDocuments;
let operation: string;

beforeAll(async () => {
  edge = await startEdgeWithDocuments({ STREAM_TIMEOUT_SECONDS: '1', MAX_OPEN_STREAMS: '1' });
  const accepted = await fetch(`${edge.url}/v1/documents`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'Nobody indexes this.' }),
  });
  operation = ((await accepted.json()) as { operation: { href: string } }).operation.href;
});
afterAll(() => edge?.close());

const follow = (): Promise<Response> =>
  fetch(`${edge.url}${operation}/events`, { signal: AbortSignal.timeout(60_000) });

describe('following an operation that never ends', () => {
  it('is over after the time of a stream, with an event that says to come again', async () => {
    const events = (await (await follow()).text()).trim().split('\n\n');
    expect(events[0]).toMatch(/^event: progress\n/);
    const [name, data] = events.at(-1)!.split('\ndata: ');
    expect(name).toBe('event: error');
    expect(JSON.parse(data!)).toMatchObject({
      code: 'REQUEST.TIMEOUT',
      retryable: true,
      detail: expect.stringContaining('follow it again'),
    });
  });

  it('leaves its place to the next one who follows', async () => {
    for (let time = 0; time < 2; time += 1) {
      const followed = await follow();
      expect(followed.status).toBe(200);
      await followed.text();
    }
  });
});
