import { chmod, readdir, readlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { startEdgeWithDocuments, type EdgeWithDocuments } from './edge-with-documents.js';

const SO_LARGE = 2 ** 37;

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

/** What was told until the stream was over. Its time may be up before anything is told where the machine stands still. */
const toldOf = (text: () => Promise<string>): Promise<string> =>
  withinAttempts(3, text, (told) => told.includes('event: progress'));

describe('following an operation that never ends', () => {
  it('is over after the time of a stream, with an event that says to come again', async () => {
    const events = (await toldOf(async () => (await follow()).text())).trim().split('\n\n');
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

describe('HEAD', () => {
  it('of the events of an operation has their head at once and takes no place among the streams', async () => {
    const followWithHead = async (): Promise<string> => {
      const following = await follow();
      const head = await fetch(`${edge.url}${operation}/events`, { method: 'HEAD' });
      expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
      return following.text();
    };
    expect(await toldOf(followWithHead)).toContain('event: progress');
    expect((await fetch(`${edge.url}/v1/operations/ingestion-1-none/events`, { method: 'HEAD' })).status).toBe(404);
  });

  it('of content has its head, and leaves nobody reading the bytes', async () => {
    const path = `${edge.url}/v1/documents/${operation.replace(/^.*ingestion-1-/, '')}/content`;
    const { headers } = await fetch(path);
    const sha256 = headers.get('etag')!.slice(1, -1);
    const names = await readdir(edge.folder, { recursive: true });
    const blob = join(
      edge.folder,
      names.find((name) => name.endsWith(sha256))!,
    );
    await chmod(blob, 0o600);
    await truncate(blob, SO_LARGE); // nobody reads that much before the test is over
    const head = await fetch(path, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(SO_LARGE)]);
    expect(head.headers.get('content-disposition')).toMatch(/^attachment/);
    await eventually('the file is closed', async () => !(await openFiles()).includes(blob), 5_000);
  });
});

/** Paths of all files this process has open. */
async function openFiles(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd');
  return Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')));
}
