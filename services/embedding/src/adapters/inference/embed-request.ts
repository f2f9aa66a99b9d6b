import { RagmeshError } from '@ragmesh/errors';
import type { EmbedOptions, EmbedPriority } from '../../domain/embedder.js';
import type { WaitingText } from '../../domain/batch-scheduler.js';

/** One text on its way through scheduler and worker. */
export interface PendingText extends WaitingText {
  readonly text: string;
  readonly index: number;
  readonly request: EmbedRequest;
  /** How often it failed with nothing else on its thread. */
  failuresAlone: number;
}

/** One call of `embed`: collects its vectors, which may come from several batches, and settles once. */
export class EmbedRequest {
  readonly priority: EmbedPriority;
  readonly result: Promise<Float32Array[]>;
  private readonly vectors: Float32Array[] = [];
  private readonly settled = Promise.withResolvers<Float32Array[]>();
  private missing: number;
  private open = true;

  constructor(
    count: number,
    private readonly options: EmbedOptions,
    private readonly onCancel: (request: EmbedRequest) => void,
  ) {
    this.priority = options.priority ?? 'batch';
    this.result = this.settled.promise;
    this.missing = count;
    if (options.signal?.aborted) this.cancel();
    else options.signal?.addEventListener('abort', this.cancel, { once: true });
  }

  /** False once resolved, failed or cancelled; work for it is wasted from then on. */
  get isOpen(): boolean {
    return this.open;
  }

  fill(index: number, vector: Float32Array): void {
    this.vectors[index] = vector;
    this.missing -= 1;
    if (this.missing === 0 && this.end()) this.settled.resolve(this.vectors);
  }

  fail(error: RagmeshError): void {
    if (this.end()) this.settled.reject(error);
  }

  private readonly cancel = (): void => {
    this.fail(new RagmeshError('REQUEST.CANCELLED', 'The caller cancelled the embedding.'));
    this.onCancel(this);
  };

  private end(): boolean {
    const wasOpen = this.open;
    this.open = false;
    this.options.signal?.removeEventListener('abort', this.cancel);
    return wasOpen;
  }
}
