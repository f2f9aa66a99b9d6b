import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { asRagmeshError, isRagmeshError } from '@ragmesh/errors';
import type { ChatPiece, ChatRequest, ChatTimeLimits, LanguageModel } from '../domain/language-model.js';
import type { GenerationConfig } from '../generation.config.js';
import { CallTimer } from './call-timer.js';
import { chatFailure } from './chat-failure.js';
import { ROOM, STOPPED, type LocalChatReply, type LocalChatSetup, type LocalChatTask } from './local-chat-protocol.js';

/** Pieces a model may be ahead of its reader. */
const LEAD = 8;

/** Where the library that runs models is imported from. */
export const TRANSFORMERS = '@huggingface/transformers';

/** Models that run in threads of this process, started when first asked. */
@Injectable()
export class LocalChatModels implements OnApplicationShutdown {
  readonly #models: LocalChatModel[] = [];

  constructor(@Inject(CONFIG) private readonly config: Pick<GenerationConfig, 'RAGMESH_MODELS_DIR'>) {}

  model(provider: string, name: string): LocalChatModel {
    const setup = { library: TRANSFORMERS, modelsDir: this.config.RAGMESH_MODELS_DIR ?? '', model: name };
    const model = new LocalChatModel(provider, setup);
    this.#models.push(model);
    return model;
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.#models.map((model) => model.close()));
  }
}

/** One text-generation model in a thread of its own, loaded with the first question and again after it crashed. */
export class LocalChatModel implements LanguageModel {
  readonly name: string;
  #worker: Promise<Worker> | undefined;
  #tasks = 0;

  constructor(
    readonly provider: string,
    private readonly setup: LocalChatSetup,
  ) {
    this.name = setup.model;
  }

  async *chat(request: ChatRequest, limits: ChatTimeLimits, signal: AbortSignal): AsyncGenerator<ChatPiece> {
    const timer = new CallTimer(limits, signal);
    const gate = new Int32Array(new SharedArrayBuffer(8));
    gate[ROOM] = LEAD;
    try {
      const worker = await Promise.race([this.#started(), rejectedBy(timer)]);
      const task = { id: ++this.#tasks, messages: request.messages, maxTokens: request.maxTokens };
      const { temperature } = request;
      const replies = repliesTo(worker, task.id, timer.signal);
      worker.postMessage({ ...task, temperature, gate: gate.buffer } satisfies LocalChatTask);
      for await (const reply of replies) {
        if (reply.kind === 'failed') throw chatFailure('server_error', `The local model failed (${reply.name}).`);
        if (reply.kind === 'end') return yield endOf(reply);
        if (reply.kind !== 'text') continue;
        timer.pause();
        yield { type: 'text', text: reply.text };
        Atomics.add(gate, ROOM, 1);
        Atomics.notify(gate, ROOM);
        timer.resume();
      }
    } catch (error) {
      throw timer.reason ?? (isRagmeshError(error) ? error : asRagmeshError(error));
    } finally {
      timer.stop();
      Atomics.store(gate, STOPPED, 1);
      Atomics.add(gate, ROOM, 1);
      Atomics.notify(gate, ROOM);
    }
  }

  async close(): Promise<void> {
    const worker = await this.#worker?.catch(() => undefined);
    await worker?.terminate();
  }

  #started(): Promise<Worker> {
    return (this.#worker ??= this.#start());
  }

  #start(): Promise<Worker> {
    const file = new URL(`./local-chat-worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(file, { workerData: this.setup });
    worker.unref();
    const started = Promise.withResolvers<Worker>();
    const failed = (error?: unknown): void => {
      if (this.#worker === started.promise) this.#worker = undefined; // not the one that took its place
      const advice = `see that ${TRANSFORMERS} is installed and the model lies in RAGMESH_MODELS_DIR`;
      started.reject(chatFailure('unreachable', `The local model ${this.name} cannot be run: ${advice}.`, {}, error));
    };
    worker.once('error', failed);
    worker.once('exit', () => failed());
    worker.once('message', () => started.resolve(worker));
    return started.promise;
  }
}

const endOf = ({ reason, promptTokens, completionTokens }: LocalChatReply & { kind: 'end' }): ChatPiece => ({
  type: 'end',
  reason,
  usage: { promptTokens, completionTokens },
});

/** Never resolves; rejects when the time is up or the caller gone. */
function rejectedBy({ signal }: CallTimer): Promise<never> {
  return new Promise((_, reject) => {
    const refuse = (): void => reject(asRagmeshError(signal.reason));
    if (signal.aborted) refuse();
    else signal.addEventListener('abort', refuse, { once: true });
  });
}

/** What the thread says about one task, until it ends, dies or `signal` aborts. At most {@link LEAD} pieces wait here. */
async function* repliesTo(worker: Worker, id: number, signal: AbortSignal): AsyncGenerator<LocalChatReply> {
  const waiting: LocalChatReply[] = [];
  let wake = (): void => undefined;
  let isDead = false;
  const hear = (reply: LocalChatReply): void => {
    if (reply.kind === 'ready' || reply.id !== id) return;
    waiting.push(reply);
    wake();
  };
  const die = (): void => {
    isDead = true;
    wake();
  };
  const awake = (): void => wake();
  worker.on('message', hear).once('exit', die);
  signal.addEventListener('abort', awake);
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!;
      signal.throwIfAborted();
      if (isDead) throw chatFailure('cut', 'The thread of the local model ended.');
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    worker.off('message', hear).off('exit', die);
    signal.removeEventListener('abort', awake);
  }
}
