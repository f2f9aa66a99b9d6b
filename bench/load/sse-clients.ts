import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../quantile.js';

/** What the clients do. */
export interface ClientsPlan {
  readonly url: string;
  /** `query` asks ragmesh, `chat` a language model itself. */
  readonly protocol: 'query' | 'chat';
  readonly collection: string;
  readonly questions: readonly string[];
  readonly clients: number;
  /** Time for which new questions are asked once all clients have begun; open answers are heard to their end. */
  readonly seconds: number;
  /** Clients begin spread over this time, so that they do not go in step. */
  readonly rampSeconds: number;
}

/** What they met. Times are of the answers to questions asked after the ramp, in milliseconds. */
export interface ClientsResult {
  readonly answers: number;
  /** Failures by status, event or error code, the ramp's included. */
  readonly errors: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly firstTokenP50: number;
  readonly firstTokenP99: number;
  readonly firstTokenMax: number;
  /** Between pieces of an answer that carry tokens. */
  readonly gapP50: number;
  readonly gapP99: number;
  /** Answers of the client that got fewest and of the one that got most. */
  readonly leastAnswers: number;
  readonly mostAnswers: number;
}

/** How tokens, the good end and a failure look in either protocol; each stands once per occurrence. */
const marks = {
  query: { token: 'event: delta', end: 'event: done', failure: 'event: error' },
  chat: { token: '"content"', end: '[DONE]', failure: '"error"' },
};

const plan = JSON.parse(process.argv[2] ?? '{}') as ClientsPlan;
const { token: TOKEN, end: END, failure: FAILURE } = marks[plan.protocol];
const OVERLAP = Math.max(TOKEN.length, END.length, FAILURE.length) - 1;
const target = new URL(plan.protocol === 'query' ? '/v1/query' : `${plan.url}/chat/completions`, plan.url);
const agent = new Agent({ keepAlive: true, maxSockets: plan.clients });
const firstTokens: number[] = [];
const gaps: number[] = [];
const errors: Record<string, number> = {};
const answersOf = new Array<number>(plan.clients).fill(0);
let tokens = 0;
let asked = 0;

/** A question nobody has asked before, so that no cache knows it. */
function nextBody(): string {
  asked += 1;
  const query = `${plan.questions[asked % plan.questions.length]} (${asked})`;
  return JSON.stringify(
    plan.protocol === 'query'
      ? { query, collection: plan.collection, stream: true }
      : { model: 'stub', stream: true, messages: [{ role: 'user', content: query }] },
  );
}

function occurrences(text: string, mark: string): number {
  let count = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) count += 1;
  return count;
}

/** Reads one answer; `tail` keeps a mark that is cut in two by the network. */
class Answer {
  private tail = '';
  private last = 0;
  hasEnded = false;
  failure: string | undefined;

  constructor(
    private readonly begin: number,
    private readonly isMeasured: boolean,
  ) {}

  take(piece: string): void {
    const text = this.tail + piece;
    const found = countBeyond(text, this.tail.length, TOKEN);
    if (found > 0) this.noteTokens(found);
    this.hasEnded ||= text.includes(END);
    if (text.includes(FAILURE)) this.failure ??= /"code":"([A-Z._]+)"/.exec(text)?.[1] ?? 'error event';
    this.tail = text.slice(-OVERLAP);
  }

  private noteTokens(found: number): void {
    const now = performance.now();
    tokens += found;
    if (this.isMeasured) {
      if (this.last === 0) firstTokens.push(now - this.begin);
      else gaps.push(now - this.last);
    }
    this.last = now;
  }
}

/** Marks that were not complete within the first `known` characters. */
const countBeyond = (text: string, known: number, mark: string): number =>
  occurrences(text, mark) - occurrences(text.slice(0, known), mark);

/** Status and code of an answer that is none. */
const refusal = ({ statusCode }: IncomingMessage, body: string): string =>
  `${statusCode} ${/"code":"([A-Z._]+)"/.exec(body)?.[1] ?? ''}`.trim();

/** @returns the failure, if any. */
function ask(isMeasured: boolean): Promise<string | undefined> {
  const body = nextBody();
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const answer = new Answer(performance.now(), isMeasured);
  return new Promise((resolve, reject) => {
    const outgoing = request(target, { agent, method: 'POST', headers }, (response) => {
      response.setEncoding('latin1');
      if (response.statusCode !== 200)
        return void text(response).then((body) => resolve(refusal(response, body)), reject);
      response.on('data', (piece: string) => answer.take(piece));
      response.once('end', () => resolve(answer.failure ?? (answer.hasEnded ? undefined : 'cut off')));
      response.once('error', () => resolve('broken off'));
    });
    outgoing.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'connection'));
    outgoing.end(body);
  });
}

/** One client: the next question as soon as the last one is answered, a second's rest after a failure. */
async function runClient(number: number, begin: number): Promise<void> {
  const rampMs = plan.rampSeconds * 1000;
  const end = begin + rampMs + plan.seconds * 1000;
  await delay((rampMs * number) / plan.clients);
  while (performance.now() < end) {
    const isMeasured = performance.now() >= begin + rampMs;
    const failure = await ask(isMeasured);
    if (failure === undefined) {
      if (isMeasured) answersOf[number]! += 1;
      continue;
    }
    errors[failure] = (errors[failure] ?? 0) + 1;
    await delay(1000);
  }
}

const begin = performance.now();
await Promise.all(Array.from({ length: plan.clients }, (_, number) => runClient(number, begin)));
agent.destroy();
process.send?.({
  answers: answersOf.reduce((sum, count) => sum + count, 0),
  errors,
  tokens,
  firstTokenP50: quantile(firstTokens, 0.5),
  firstTokenP99: quantile(firstTokens, 0.99),
  firstTokenMax: quantile(firstTokens, 1),
  gapP50: quantile(gaps, 0.5),
  gapP99: quantile(gaps, 0.99),
  leastAnswers: Math.min(...answersOf),
  mostAnswers: Math.max(...answersOf),
} satisfies ClientsResult);
process.disconnect?.();
