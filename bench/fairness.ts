import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { startStandalone } from '../eval/standalone.js';
import type { BenchInput } from './bench-input.js';
import { quantile } from './quantile.js';
import type { Report } from './report.js';

/** What the one tenant sends. It need not be finished: what counts is that it is far from it. */
const UPLOADS = 10_000;
const UPLOADING_AT_ONCE = 16;
/** Single uploads of the other one, with and without that beside them. */
const SINGLES = 20;
/** Uploads of the other one that find it sending as if it were alone; the median of few, as each takes a pause. */
const FIRSTS = 3;
/** After this long without an upload of the one, the other is alone again and sends as fast as it can. */
const FORGOTTEN_AFTER_MS = 61_000;
/** About one printed page. */
const PAGE = 'The relay reads rows in order of their key and notes where each of them lies on the bus. '.repeat(22);

/** Calls as one tenant. */
type Call = (method: string, path: string, body?: object) => Promise<Record<string, unknown>>;

const callerAs =
  (url: string, key: string): Call =>
  async (method, path, body) => {
    const headers = { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    const response = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };

const upload = async (call: Call, text: string): Promise<string> =>
  String((await call('POST', '/v1/documents', { text: `${text}. ${PAGE}` }))['id']);

/** Milliseconds from upload to ready. */
async function single(call: Call, text: string): Promise<number> {
  const begin = performance.now();
  const id = await upload(call, text);
  const { status } = await call('GET', `/v1/documents/${id}?wait=30`);
  if (status !== 'ready') throw new Error(`A single upload was ${String(status)} after 30 s.`);
  return performance.now() - begin;
}

/** Of one after the other. */
async function singles(call: Call, name: string): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < SINGLES; round += 1) times.push(await single(call, `${name} ${round}`));
  return times;
}

/** Of one each after the others have long been alone. @throws Error when they are through with theirs, which would prove nothing. */
async function firsts(call: Call, others: Call): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < FIRSTS; round += 1) {
    await delay(FORGOTTEN_AFTER_MS);
    times.push(await single(call, `first ${round}`));
    const { data } = await others('GET', '/v1/documents?status=uploaded&limit=1');
    if ((data as unknown[]).length === 0) throw new Error('No upload of the other tenant waited any more.');
  }
  return times;
}

/** Sends them all, each with a text of its own, some at a time; resolves once all are accepted, or it is told to stop. */
async function flood(call: Call, name: string, signal: AbortSignal): Promise<number> {
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < UPLOADS && !signal.aborted) await upload(call, `${name} ${(sent += 1)}`);
  };
  await Promise.all(Array.from({ length: UPLOADING_AT_ONCE }, client));
  return sent;
}

/** One tenant's 10,000 uploads, and what they do to the single upload of another. */
export async function benchFairness(report: Report, { root }: BenchInput): Promise<void> {
  const operator = `rgm_bench_${randomBytes(32).toString('hex')}`;
  const ragmesh = await startStandalone(root, { AUTH_MODE: 'keys', RAGMESH_BOOTSTRAP_KEY: operator });
  const stop = new AbortController();
  try {
    const asOperator = callerAs(ragmesh.url, operator);
    const tenant = async (name: string): Promise<Call> => {
      const { key } = await asOperator('POST', '/v1/admin/keys', { name, tenant: name, roles: ['writer'] });
      return callerAs(ragmesh.url, String(key));
    };
    const [many, one] = [await tenant('many'), await tenant('one')];
    await singles(one, 'warm');
    const alone = await singles(one, 'alone');
    await delay(FORGOTTEN_AFTER_MS);
    const sent = await flood(many, 'flood', stop.signal);
    const whileWaiting = await singles(one, 'while waiting');
    const flooding = flood(many, 'more', stop.signal);
    flooding.catch(() => undefined); // told below
    const whileSent = await singles(one, 'while sent');
    const afterQuiet = await firsts(one, many);
    stop.abort();
    await flooding;
    tell(report, `while ${sent} uploads of another tenant wait`, whileWaiting, alone);
    tell(report, 'while they wait and more of them are being sent', whileSent, alone);
    tell(report, 'while they wait, the first after a minute without one', afterQuiet, alone);
  } finally {
    stop.abort();
    await ragmesh.stop();
  }
}

function tell(report: Report, when: string, times: readonly number[], alone: readonly number[]): void {
  const [p50, p90] = [quantile(times, 0.5), quantile(times, 0.9)];
  const ratio = p50 / quantile(alone, 0.5);
  const measured = `${ratio.toFixed(2)} × (${p50.toFixed(0)} ms, p90 ${p90.toFixed(0)}; alone ${quantile(alone, 0.5).toFixed(0)} ms)`;
  report.add(`fairness: a single upload to ready ${when}, p50`, measured, '≤ 2 ×', ratio <= 2);
}
