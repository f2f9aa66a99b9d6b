/**
 * Worker thread around one encoder. Node runs this file as JavaScript after the build and as stripped TypeScript in
 * specs, so it imports nothing of ours by value.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { EncoderModule } from './encoder.js';
import type { InferenceReply, InferenceSetup, InferenceStop, InferenceTask } from './inference-protocol.js';

const { modules, model, runTokens } = workerData as InferenceSetup;
const port = parentPort!;
const waiting: InferenceTask[] = [];
let running = false;
let stopped = false;

const { TokenModel } = (await import(modules.tokenModel)) as typeof import('./token-model.js');
const { encoderOf } = (await import(modules.encoder)) as EncoderModule;
const tokens = await TokenModel.load(model);
const encoder = encoderOf(tokens, model);

/** Positions of `batch`, shortest text first, cut into runs that stay within `runTokens`. */
function runsOf(batch: readonly number[][]): number[][] {
  const runs: number[][] = [];
  const byLength = batch.map((_, at) => at).sort((a, b) => batch[a]!.length - batch[b]!.length);
  for (const at of byLength) {
    const last = runs.at(-1);
    if (last && batch[at]!.length * (last.length + 1) <= runTokens) last.push(at);
    else runs.push([at]);
  }
  return runs;
}

async function embed(texts: readonly string[]): Promise<Float32Array[]> {
  const batch = texts.map((text) => encoder.tokenize(text));
  const vectors: Float32Array[] = [];
  for (const run of runsOf(batch)) {
    const results = await encoder.encode(run.map((at) => batch[at]!));
    run.forEach((at, index) => (vectors[at] = results[index]!));
  }
  return vectors;
}

async function reply({ id, texts }: InferenceTask): Promise<void> {
  try {
    const vectors = await embed(texts);
    const message: InferenceReply = { kind: 'vectors', id, vectors };
    port.postMessage(
      message,
      vectors.map((vector) => vector.buffer as ArrayBuffer),
    );
  } catch (error) {
    const message: InferenceReply = { kind: 'failed', id, reason: String(error) };
    port.postMessage(message);
  }
}

/** A query overtakes batch work that arrived before it but has not started. */
async function workOff(): Promise<void> {
  running = true;
  while (waiting.length > 0) {
    const query = waiting.findIndex(({ priority }) => priority === 'query');
    const [task] = waiting.splice(Math.max(query, 0), 1);
    await reply(task!);
    await new Promise(setImmediate);
  }
  running = false;
  if (stopped) await end();
}

async function end(): Promise<void> {
  await tokens.release();
  port.close();
}

port.on('message', (message: InferenceTask | InferenceStop) => {
  if (message === 'stop') {
    stopped = true;
    waiting.length = 0;
  } else if (!stopped) {
    waiting.push(message);
  }
  if (!running) void workOff();
});
port.postMessage({ kind: 'ready' } satisfies InferenceReply);
