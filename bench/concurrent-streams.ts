import type { BenchInput } from './bench-input.js';
import { questionsOf, withCorpus } from './corpus.js';
import { runSseClients, startStubLlm } from './load/load-process.js';
import type { ClientsPlan, ClientsResult } from './load/sse-clients.js';
import type { Speech } from './load/stub-llm.js';
import { watchMemory } from './memory.js';
import { processorTime, processorTimeBetween, type ProcessorTime } from './processor-time.js';
import type { Report } from './report.js';
import { eventLoopDelayMs } from './requests.js';

/** Slow enough that on two cores clients and stub leave the server its share: 1,000 clients take 10,000 tokens/s. */
const speech: Speech = { firstTokenMs: 200, tokensPerSecond: 10, tokens: 64 };
/** What a stream may add to the memory of the process at the peak: 1,000 of them a quarter of a gigabyte. */
const MEMORY_KB = 256;
const ANSWER_SECONDS = speech.firstTokenMs / 1000 + speech.tokens / speech.tokensPerSecond;

/** S3: event-stream clients in a closed loop, once on the stub language model itself, then on a ragmesh that asks it. */
export async function benchConcurrentStreams(report: Report, input: BenchInput): Promise<void> {
  const { clients, seconds = 60 } = input;
  const stub = await startStubLlm(speech);
  try {
    const plan: Omit<ClientsPlan, 'url' | 'protocol'> = {
      collection: 'bench',
      questions: await questionsOf(input),
      clients,
      seconds,
      rampSeconds: ANSWER_SECONDS,
    };
    const alone = await runSseClients({
      ...plan,
      url: stub.url,
      protocol: 'chat',
      seconds: Math.min(seconds, ANSWER_SECONDS),
    });
    report.add(`S3 stub alone, ${clients} clients, first token p50 (p99)`, firstToken(alone), '–');
    await withCorpus(input, stub.settings, async ({ url, pid }) => {
      await eventLoopDelayMs(url); // what comes next is of the interval since the last look
      const before = processorTime(pid);
      const work = (): Promise<ClientsResult> => runSseClients({ ...plan, url, protocol: 'query' });
      const { result, samples } = await watchMemory(pid, 1, work);
      const after = processorTime(pid);
      const used = before && after && processorTimeBetween(before, after);
      const megabytes = samples.map((sample) => sample.megabytes);
      tell(report, { alone, result, clients, seconds, loopDelayMs: await eventLoopDelayMs(url), megabytes });
      if (used) tellProcessorTime(report, used, result.tokens);
    });
  } finally {
    stub.stop();
  }
}

const firstToken = ({ firstTokenP50, firstTokenP99 }: ClientsResult): string =>
  `${firstTokenP50.toFixed(0)} ms (${firstTokenP99.toFixed(0)})`;

interface Met {
  readonly alone: ClientsResult;
  readonly result: ClientsResult;
  readonly clients: number;
  readonly seconds: number;
  readonly loopDelayMs: number;
  readonly megabytes: readonly number[];
}

function tell(report: Report, { alone, result, clients, seconds, loopDelayMs, megabytes }: Met): void {
  const failures = Object.entries(result.errors).map(([code, count]) => `${count} × ${code}`);
  const answered = `${result.answers} answers, ${result.leastAnswers} to ${result.mostAnswers} a client`;
  const errors = failures.length === 0 ? `none (${answered})` : `${failures.join(', ')} (${answered})`;
  report.add(`S3 errors of ${clients} event-stream clients in ${seconds} s`, errors, 'none', failures.length === 0);
  const latest = alone.firstTokenP99 + 100;
  const isInTime = result.firstTokenP99 <= latest;
  report.add('S3 first token p50 (p99)', firstToken(result), `≤ ${latest.toFixed(0)} ms p99`, isInTime);
  const gap = `${result.gapP50.toFixed(0)} ms (${result.gapP99.toFixed(0)})`;
  const gapAlone = `stub alone ${alone.gapP50.toFixed(0)} ms (${alone.gapP99.toFixed(0)})`;
  report.add('S3 between tokens, p50 (p99)', `${gap}; ${gapAlone}`, '–');
  report.add('S3 event loop delay, p99 of the run', `${loopDelayMs.toFixed(0)} ms`, '–');
  const [before, peak, after] = [megabytes[0]!, Math.max(...megabytes), megabytes.at(-1)!];
  const perStream = `${(((peak - before) * 1024) / clients).toFixed(0)} KB a stream at the peak`;
  const memory = `${before.toFixed(0)} → ${peak.toFixed(0)} → ${after.toFixed(0)} MB, ${perStream}`;
  const isBounded = peak - before <= MEMORY_KB * (clients / 1024);
  report.add('S3 resident memory before, at the peak, after', memory, `≤ ${MEMORY_KB} KB a stream`, isBounded);
}

/** All that was done, questions included, by the token: what bounds how many streams one process can serve. */
function tellProcessorTime(report: Report, used: ProcessorTime, tokens: number): void {
  const perToken = ((used.mainThread / tokens) * 1e6).toFixed(0);
  const others = `its other threads ${used.otherThreads.toFixed(1)} s, PostgreSQL ${used.postgres.toFixed(1)} s`;
  const told = `main thread ${used.mainThread.toFixed(1)} s, ${perToken} µs a token of ${tokens}; ${others}`;
  report.add('S3 processor time of the run', told, '–');
}
