import { Agent, request } from 'node:http';

/** One request as its caller met it. */
export interface Timed {
  readonly status: number;
  /** From sending to the head of the answer. */
  readonly milliseconds: number;
  readonly retryAfter: string | undefined;
}

/** Connections are kept, as many as there are requests at once: a place in a queue of ours would hide what the server does. */
const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 4096 });

/** @throws when there is no answer: the connection failed. */
export function timed(url: string, body?: object, signal?: AbortSignal): Promise<Timed> {
  const text = body ? JSON.stringify(body) : undefined;
  const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {};
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: text ? 'POST' : 'GET', headers, signal }, (response) => {
      const milliseconds = performance.now() - begin;
      const result = { status: response.statusCode!, milliseconds, retryAfter: response.headers['retry-after'] };
      // A stream that stays open is an answer, too; a short one is read to its end, for the connection's sake.
      if (/event-stream/.test(response.headers['content-type'] ?? '')) {
        response.on('error', () => undefined).resume();
        return resolve(result);
      }
      response
        .once('error', reject)
        .once('end', () => resolve(result))
        .resume();
    });
    outgoing.once('error', reject).end(text);
  });
}

/**
 * Posts and reads the answer, over a connection that is kept. `fetch` would add a quarter of a millisecond of its own.
 * @returns the answer, and the time to its last byte. @throws when it is not a success.
 */
export function timedJson<T>(url: string, body: object): Promise<{ answer: T; milliseconds: number }> {
  const text = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: 'POST', headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part)).once('error', reject);
      response.once('end', () => {
        const milliseconds = performance.now() - begin;
        const received = Buffer.concat(parts).toString();
        if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}: ${received}`));
        else resolve({ answer: JSON.parse(received) as T, milliseconds });
      });
    });
    outgoing.once('error', reject).end(text);
  });
}

/** Sends requests at a fixed rate, whether or not earlier ones have been answered, and waits for all. */
export async function atRate<T>(
  perSecond: number,
  seconds: number,
  send: (number: number) => Promise<T>,
): Promise<T[]> {
  const sent: Promise<T>[] = [];
  const begin = performance.now();
  const total = Math.round(perSecond * seconds);
  while (sent.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begin) / 1000) * perSecond) + 1);
    while (sent.length < due) sent.push(send(sent.length));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return Promise.all(sent);
}
