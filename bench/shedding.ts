import type { BenchInput } from './bench-input.js';
import { questionsOf, withCorpus } from './corpus.js';
import { startStubLlm } from './load/load-process.js';
import { atRate, timed, type Timed } from './load/timed-request.js';
import { quantile } from './quantile.js';
import type { Report } from './report.js';

/** So slow that a stream or an answer, once begun, outlasts the scenario. */
const slowSpeech = { firstTokenMs: 50, tokensPerSecond: 1, tokens: 600 };
const LIMITS = { streams: 100, requests: 40 };
const SEARCHES = 200;
const PROBES_PER_SECOND = 100;
/** More than two cores can answer. */
const OVERLOAD = 3;

const shedRow = '≤ 5 ms p50, each with Retry-After';
/** How much slower than before counts as slower: one machine measures the same twice no closer than that. */
const AS_BEFORE = 1.25;

/** What was refused and what was served of some requests. */
function divided(all: readonly Timed[]): { shed: Timed[]; served: Timed[]; others: number } {
  const shed = all.filter(({ status, retryAfter }) => (status === 503 || status === 429) && retryAfter !== undefined);
  const served = all.filter(({ status }) => status === 200);
  return { shed, served, others: all.length - shed.length - served.length };
}

function spread(all: readonly Timed[]): string {
  const times = all.map(({ milliseconds }) => milliseconds);
  return `${quantile(times, 0.5).toFixed(1)} ms (${quantile(times, 0.99).toFixed(1)})`;
}

const medianOf = (all: readonly Timed[]): number =>
  quantile(
    all.map(({ milliseconds }) => milliseconds),
    0.5,
  );

const isAsBefore = (now: readonly Timed[], before: readonly Timed[]): boolean =>
  medianOf(now) <= AS_BEFORE * medianOf(before);

function tellShed(report: Report, what: string, all: readonly Timed[]): void {
  const { shed, served, others } = divided(all);
  const counts = `${shed.length} shed, ${served.length} served, ${others} neither`;
  const isAtOnce = shed.length > 0 && others === 0 && medianOf(shed) <= 5;
  report.add(`shed: ${what}, p50 (p99)`, `${spread(shed)}; ${counts}`, shedRow, isAtOnce);
}

/** A server as full as it may be sheds what comes, at once, and keeps what it has. */
async function whenFull(report: Report, input: BenchInput): Promise<void> {
  const stub = await startStubLlm(slowSpeech);
  const limits = { MAX_OPEN_STREAMS: String(LIMITS.streams), MAX_CONCURRENT_REQUESTS: String(LIMITS.requests) };
  try {
    const questions = await questionsOf(input);
    const question = (at: number) => ({ query: `${questions[at % questions.length]} (${at})`, collection: 'bench' });
    await withCorpus(input, { ...stub.settings, ...limits }, async ({ url }) => {
      const leave = new AbortController();
      const ask = (at: number, stream: boolean) => timed(`${url}/v1/query`, { ...question(at), stream }, leave.signal);
      const searches = async (): Promise<Timed[]> => {
        const all: Timed[] = [];
        for (let at = 0; at < SEARCHES; at += 1) all.push(await timed(`${url}/v1/search`, question(10_000 + at)));
        return all;
      };
      await searches();
      for (let at = 0; at < LIMITS.streams; at += 10) {
        await Promise.all(Array.from({ length: 10 }, (_, more) => ask(at + more, true)));
      }
      const before = await searches();
      const [during, more] = await Promise.all([
        searches(),
        atRate(PROBES_PER_SECOND, 3, (at) => ask(20_000 + at, true)),
      ]);
      tellShed(report, `streams beyond ${LIMITS.streams} open ones`, more);
      report.add(
        'shed: a search beside it, p50 (p99)',
        `${spread(during)}, before it ${spread(before)}`,
        `as before it (≤ ${AS_BEFORE} ×)`,
        isAsBefore(during, before),
      );
      // They fill the server; what becomes of them once it is full is not what is measured.
      const whole = Array.from({ length: LIMITS.requests }, (_, at) => ask(30_000 + at, false).catch(() => undefined));
      await new Promise((resolve) => setTimeout(resolve, 1000));
      tellShed(
        report,
        `anything beyond ${LIMITS.requests} requests`,
        await atRate(PROBES_PER_SECOND, 3, () => timed(`${url}/v1/documents`)),
      );
      leave.abort();
      await Promise.all(whole);
    });
  } finally {
    stub.stop();
  }
}

/** More searches than the machine can do: what is taken in stays fast, the rest is shed at once. */
async function whenOverloaded(report: Report, input: BenchInput): Promise<void> {
  const questions = await questionsOf(input);
  const seconds = Math.min(input.seconds ?? 10, 30);
  await withCorpus(input, {}, async ({ url }) => {
    const search = (at: number): Promise<Timed> =>
      timed(`${url}/v1/search`, { query: `${questions[at % questions.length]} (${at})`, collection: 'bench' });
    let asked = 0;
    const closedLoop = async (clients: number, until: number): Promise<Timed[]> => {
      const all: Timed[] = [];
      const client = async (): Promise<void> => {
        while (performance.now() < until) all.push(await search((asked += 1)));
      };
      await Promise.all(Array.from({ length: clients }, client));
      return all;
    };
    await closedLoop(8, performance.now() + 3000);
    const calm = await closedLoop(8, performance.now() + seconds * 1000);
    const capacity = calm.length / seconds;
    const all = await atRate(capacity * OVERLOAD, seconds, (at) => search(1_000_000 + at));
    const { served } = divided(all);
    const what = `${OVERLOAD} × the ${capacity.toFixed(0)} searches/s that 8 clients get`;
    tellShed(report, what, all);
    report.add(
      `shed: what is served of ${what}, p50 (p99)`,
      `${spread(served)}, ${(served.length / seconds).toFixed(0)}/s; before it ${spread(calm)}`,
      `as before it (≤ ${AS_BEFORE} ×)`,
      isAsBefore(served, calm),
    );
  });
}

/** Overload: what is refused is refused at once, and what was accepted keeps its latency. */
export async function benchShedding(report: Report, input: BenchInput): Promise<void> {
  await whenFull(report, input);
  await whenOverloaded(report, input);
}
