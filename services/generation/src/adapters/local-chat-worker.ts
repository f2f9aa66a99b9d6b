/**
 * Worker thread around one text-generation model. Node runs this file as JavaScript after the build and as stripped
 * TypeScript in specs, so it imports nothing of ours by value.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { LocalChatReply, LocalChatSetup, LocalChatTask } from './local-chat-protocol.js';

/** The part of `@huggingface/transformers` that is used. */
interface Transformers {
  readonly env: { allowRemoteModels: boolean; allowLocalModels: boolean; localModelPath: string };
  pipeline(task: 'text-generation', model: string, options: object): Promise<TextGeneration>;
  readonly TextStreamer: new (tokenizer: unknown, options: object) => unknown;
  readonly InterruptableStoppingCriteria: new () => { interrupt(): void };
}
interface TextGeneration {
  (messages: LocalChatTask['messages'], options: object): Promise<unknown>;
  readonly tokenizer: {
    apply_chat_template(messages: LocalChatTask['messages'], options: object): ArrayLike<number>;
  };
}

const ROOM = 0;
const STOPPED = 1;
const { library, modelsDir, model } = workerData as LocalChatSetup;
const port = parentPort!;
const send = (reply: LocalChatReply): void => port.postMessage(reply);

const transformers = (await import(library)) as Transformers;
transformers.env.allowRemoteModels = false; // models are fetched by the model service, never from here
transformers.env.allowLocalModels = true;
transformers.env.localModelPath = modelsDir;
const generate = await transformers.pipeline('text-generation', model, { dtype: 'q8', device: 'cpu' });

/** Waits, with the model, until the reader has room. @returns false once it has stopped. */
function passThrough(gate: Int32Array): boolean {
  while (Atomics.load(gate, STOPPED) === 0 && Atomics.load(gate, ROOM) <= 0) Atomics.wait(gate, ROOM, 0);
  Atomics.sub(gate, ROOM, 1);
  return Atomics.load(gate, STOPPED) === 0;
}

async function answer({ id, messages, maxTokens, temperature, gate }: LocalChatTask): Promise<void> {
  const room = new Int32Array(gate);
  if (Atomics.load(room, STOPPED) !== 0) return; // given up while it waited: nobody would read it
  const stopping = new transformers.InterruptableStoppingCriteria();
  let completionTokens = 0;
  const streamer = new transformers.TextStreamer(generate.tokenizer, {
    skip_prompt: true,
    skip_special_tokens: true,
    token_callback_function: (tokens: ArrayLike<unknown>) => (completionTokens += tokens.length),
    callback_function: (text: string) => {
      if (text === '') return;
      if (passThrough(room)) send({ kind: 'text', id, text });
      else stopping.interrupt();
    },
  });
  const template = { tokenize: true, add_generation_prompt: true, return_tensor: false, return_dict: false };
  const promptTokens = generate.tokenizer.apply_chat_template(messages, template).length;
  await generate(messages, {
    max_new_tokens: maxTokens,
    ...(temperature ? { do_sample: true, temperature } : { do_sample: false }),
    streamer,
    stopping_criteria: stopping,
  });
  const reason = completionTokens >= maxTokens ? 'length' : 'stop';
  send({ kind: 'end', id, reason, promptTokens, completionTokens });
}

/** One answer at a time: a model has one session. A failure is told by its name only, its message may quote the prompt. */
let last = Promise.resolve();
port.on('message', (task: LocalChatTask) => {
  last = last
    .then(() => answer(task))
    .catch((error: unknown) => {
      send({ kind: 'failed', id: task.id, name: error instanceof Error ? error.name : 'unknown' });
    });
});
send({ kind: 'ready' });
