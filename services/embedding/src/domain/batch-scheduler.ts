import type { EmbedPriority } from './embedder.js';

export interface BatchLimits {
  /** Texts per batch. */
  readonly texts: number;
  /** Tokens per batch with padding, i.e. texts × longest text. A single longer text still makes a batch of its own. */
  readonly tokens: number;
}

export interface WaitingText {
  /** Estimated length in tokens. */
  readonly tokens: number;
}

/** How many of the oldest waiting texts are looked at for neighbours of similar length. */
const lookahead = 256;

/**
 * Decides which waiting texts go together. Texts of concurrent requests merge; queries leave before batch work; within a
 * priority the oldest text is always in the next batch, joined by the waiting texts nearest to it in length, because
 * padding costs more than batching gains. Nobody waits for a batch to fill: it forms while the workers are busy.
 */
export class BatchScheduler<T extends WaitingText> {
  private readonly waiting: Record<EmbedPriority, T[]> = { query: [], batch: [] };

  constructor(private readonly limits: BatchLimits) {}

  get size(): number {
    return this.waiting.query.length + this.waiting.batch.length;
  }

  count(priority: EmbedPriority): number {
    return this.waiting[priority].length;
  }

  has(priority: EmbedPriority): boolean {
    return this.waiting[priority].length > 0;
  }

  add(items: readonly T[], priority: EmbedPriority): void {
    const sorted = items.toSorted((a, b) => b.tokens - a.tokens);
    for (const item of sorted) this.waiting[priority].push(item);
  }

  /** The next batch, sorted by length, and out of the queue. Undefined when nothing of that priority waits. */
  next(priority: EmbedPriority): T[] | undefined {
    const queue = this.waiting[priority];
    const oldest = queue[0];
    if (!oldest) return undefined;
    const byNearness = queue
      .slice(1, lookahead)
      .toSorted((a, b) => Math.abs(a.tokens - oldest.tokens) - Math.abs(b.tokens - oldest.tokens));
    const batch = new Set([oldest]);
    let longest = oldest.tokens;
    for (const item of byNearness) {
      if (batch.size >= this.limits.texts) break;
      if (Math.max(longest, item.tokens) * (batch.size + 1) > this.limits.tokens) continue;
      longest = Math.max(longest, item.tokens);
      batch.add(item);
    }
    const rest = queue.splice(0, lookahead).filter((item) => !batch.has(item));
    queue.unshift(...rest);
    return [...batch].toSorted((a, b) => a.tokens - b.tokens);
  }

  /** Takes out every waiting text that `condition` holds for. */
  remove(condition: (item: T) => boolean): T[] {
    const removed: T[] = [];
    for (const priority of ['query', 'batch'] as const) {
      removed.push(...this.waiting[priority].filter(condition));
      this.waiting[priority] = this.waiting[priority].filter((item) => !condition(item));
    }
    return removed;
  }
}
