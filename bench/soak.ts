import type { BenchInput } from './bench-input.js';
import { questionsOf, withCorpus } from './corpus.js';
import { startStubLlm } from './load/load-process.js';
import { atRate, timed } from './load/timed-request.js';
import { slopePerMinute, watchMemory, type MemorySample } from './memory.js';
import { quantile } from './quantile.js';
import type { Report } from './report.js';
import { deleteDocument, uploadText, waitReady } from './requests.js';

const speech = { firstTokenMs: 50, tokensPerSecond: 50, tokens: 50 };
const RATES = { searches: 10, answers: 3, uploads: 2 };
/** Documents of the soak that exist at a time; each upload beyond removes the oldest. */
const KEPT = 20;

/** Searches, answers and documents that come and go, for minutes; memory must not grow with them. */
export async function benchSoak(report: Report, input: BenchInput): Promise<void> {
  const seconds = input.seconds ?? 600;
  const questions = await questionsOf(input);
  const stub = await startStubLlm(speech);
  try {
    await withCorpus(input, stub.settings, async ({ url, pid }) => {
      const failures: Record<string, number> = {};
      const note = (what: string): void => void (failures[what] = (failures[what] ?? 0) + 1);
      const question = (at: number) => ({ query: `${questions[at % questions.length]} (${at})`, collection: 'bench' });
      const search = async (at: number): Promise<void> => {
        const { status } = await timed(`${url}/v1/search`, question(at));
        if (status !== 200) note(`search ${status}`);
      };
      const ask = async (at: number): Promise<void> => {
        const { status } = await timed(`${url}/v1/query`, { ...question(1e6 + at), stream: at % 2 === 0 });
        if (status !== 200) note(`answer ${status}`);
      };
      const comeAndGo = documentsThatComeAndGo(url, input);
      const guarded = (what: string, work: (at: number) => Promise<void>) => (at: number) =>
        work(at).catch((error: Error) => note(`${what}: ${error.message.slice(0, 120)}`));
      const work = () =>
        Promise.all([
          atRate(RATES.searches, seconds, guarded('search', search)),
          atRate(RATES.answers, seconds, guarded('answer', ask)),
          atRate(RATES.uploads, seconds, guarded('document', comeAndGo)),
        ]);
      const { samples } = await watchMemory(pid, Math.max(1, seconds / 120), work);
      tell(report, samples, { seconds, failures });
    });
  } finally {
    stub.stop();
  }
}

/** Uploads one document and, once there are enough, removes the oldest. */
function documentsThatComeAndGo(url: string, { documents }: BenchInput): (at: number) => Promise<void> {
  const there: string[] = [];
  return async (at) => {
    const id = await uploadText(url, 'bench', `${documents[at % documents.length]!.text} (${at})`);
    await waitReady(url, id);
    there.push(id);
    if (there.length > KEPT) await deleteDocument(url, there.shift()!);
  };
}

interface Soaked {
  readonly seconds: number;
  readonly failures: Readonly<Record<string, number>>;
}

/** The first third is left out: caches fill and the heap finds its size. */
function tell(report: Report, samples: readonly MemorySample[], { seconds, failures }: Soaked): void {
  const settled = samples.filter((sample) => sample.seconds > seconds / 3);
  const middle = settled.filter((sample) => sample.seconds <= (seconds * 2) / 3);
  const last = settled.filter((sample) => sample.seconds > (seconds * 2) / 3);
  const median = (part: readonly MemorySample[]): number =>
    quantile(
      part.map(({ megabytes }) => megabytes),
      0.5,
    );
  const growth = (median(last) / median(middle) - 1) * 100;
  const medians = `median ${median(middle).toFixed(0)} → ${median(last).toFixed(0)} MB (${growth.toFixed(1)} %)`;
  report.add(
    `soak of ${seconds} s, resident memory, second to last third`,
    `${medians}, ${slopePerMinute(settled).toFixed(2)} MB a minute; at the start ${samples[0]!.megabytes.toFixed(0)} MB`,
    '≤ 5 %',
    growth <= 5,
  );
  const told = Object.entries(failures).map(([what, count]) => `${count} × ${what}`);
  report.add('soak, failures', told.length === 0 ? 'none' : told.join('; '), 'none', told.length === 0);
}
