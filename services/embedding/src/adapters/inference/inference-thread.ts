import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { EmbedPriority } from '../../domain/embedder.js';
import type { PendingText } from './embed-request.js';
import type { InferenceReply, InferenceSetup, InferenceStop, InferenceTask } from './inference-protocol.js';

/** A module next to this one, in the form (source or built) this one runs in. */
const sibling = (name: string): URL => new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);

/** Bounds the thread's JavaScript heap, which otherwise grows by garbage long before it is collected. */
const resourceLimits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 192 };

/** Module that makes the encoder: vectors of texts, or scores of pairs. */
export type EncoderName = 'sentence-encoder' | 'cross-encoder';

export interface InferenceThreadEvents {
  ready(): void;
  vectors(batch: readonly PendingText[], vectors: readonly Float32Array[]): void;
  failed(batch: readonly PendingText[], reason: string): void;
  /** The thread is gone without being asked to; `unfinished` holds the batches it had accepted. */
  died(thread: InferenceThread, unfinished: readonly (readonly PendingText[])[], cause: unknown): void;
}

/** The main thread's end of one inference worker: which batches it holds and what became of them. */
export class InferenceThread {
  private readonly worker: Worker;
  private readonly batches = new Map<number, readonly PendingText[]>();
  private readonly queryIds = new Set<number>();
  private isolated = false;
  private nextId = 1;
  private readonly ended = Promise.withResolvers<void>();
  private stopping = false;
  private cause: unknown;
  private loaded = false;

  constructor(
    setup: Omit<InferenceSetup, 'modules'> & { readonly encoder: EncoderName },
    private readonly events: InferenceThreadEvents,
  ) {
    const { encoder, ...rest } = setup;
    const modules = { tokenModel: sibling('token-model').href, encoder: sibling(encoder).href };
    const workerData: InferenceSetup = { ...rest, modules };
    this.worker = new Worker(sibling('inference-worker'), { workerData, resourceLimits, name: 'ragmesh-inference' });
    this.worker.on('message', (reply: InferenceReply) => this.receive(reply));
    this.worker.on('error', (error) => (this.cause = error));
    this.worker.on('exit', () => this.exited());
  }

  get isReady(): boolean {
    return this.loaded;
  }

  /** Batches accepted and not answered. */
  get load(): number {
    return this.batches.size;
  }

  /** Batches of queries among them. */
  get queries(): number {
    return this.queryIds.size;
  }

  /** Works on one batch that must have the thread to itself. */
  get isIsolated(): boolean {
    return this.isolated;
  }

  get unfinished(): readonly (readonly PendingText[])[] {
    return [...this.batches.values()];
  }

  /** @param alone keeps further batches away until this one is answered. */
  run(batch: readonly PendingText[], priority: EmbedPriority, alone = false): void {
    const id = this.nextId++;
    this.batches.set(id, batch);
    if (priority === 'query') this.queryIds.add(id);
    this.isolated = alone;
    this.worker.ref();
    const task: InferenceTask = { id, priority, texts: batch.map(({ text }) => text) };
    this.worker.postMessage(task);
  }

  /**
   * Ends the thread after its present run; what else it holds is not answered any more. It is asked and not terminated,
   * because a thread that is torn down inside ONNX Runtime takes the whole process with it.
   */
  async stop(): Promise<void> {
    this.stopping = true;
    this.worker.ref();
    this.worker.postMessage('stop' satisfies InferenceStop);
    await this.ended.promise;
  }

  private receive(reply: InferenceReply): void {
    if (reply.kind === 'ready') {
      this.loaded = true;
      this.worker.unref();
      return this.events.ready();
    }
    const batch = this.batches.get(reply.id) ?? [];
    this.batches.delete(reply.id);
    this.queryIds.delete(reply.id);
    this.isolated = false;
    // An idle thread must not keep the process alive.
    if (this.batches.size === 0 && !this.stopping) this.worker.unref();
    if (reply.kind === 'vectors') this.events.vectors(batch, reply.vectors);
    else this.events.failed(batch, reply.reason);
  }

  private exited(): void {
    this.ended.resolve();
    if (!this.stopping) this.events.died(this, this.unfinished, this.cause);
  }
}
