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
  /** Whose text it is; those without one share a line. */
  readonly tenant?: string;
}

/** How many of the oldest waiting texts are looked at for neighbours of similar length. */
const lookahead = 256;

/** Of so many batches one goes by turns. */
const turnEvery = 4;

/** After so many tokens what was served before counts half: some seconds of work. */
const halfLife = 16_384;

/** Waiting texts of one priority: a line for each tenant, in the order of their turns. */
type Lines<T> = Map<string, T[]>;

/**
 * Decides which waiting texts go together. Texts of concurrent requests merge; queries leave before batch work. Within a
 * priority the tenant is next that was served least of late, so that a single document passes by thousands; every fourth
 * batch goes by turns instead, so that many who are served little cannot starve one who was served much. The oldest text of
 * that tenant is always in the batch, joined by the waiting texts nearest to it in length, because padding costs more than
 * batching gains. Nobody waits for a batch to fill: it forms while the workers are busy.
 */
export class BatchScheduler<T extends WaitingText> {
  private readonly lines: Record<EmbedPriority, Lines<T>> = { query: new Map(), batch: new Map() };
  private readonly counts: Record<EmbedPriority, number> = { query: 0, batch: 0 };

  private readonly served = new Map<string, number>();
  private servedSinceHalving = 0;
  private batches = 0;

  constructor(private readonly limits: BatchLimits) {}

  get size(): number {
    return this.counts.query + this.counts.batch;
  }

  count(priority: EmbedPriority): number {
    return this.counts[priority];
  }

  has(priority: EmbedPriority): boolean {
    return this.counts[priority] > 0;
  }

  add(items: readonly T[], priority: EmbedPriority): void {
    const lines = this.lines[priority];
    for (const item of items.toSorted((a, b) => b.tokens - a.tokens)) {
      const tenant = item.tenant ?? '';
      const line = lines.get(tenant);
      if (line) line.push(item);
      else lines.set(tenant, [item]);
    }
    this.counts[priority] += items.length;
  }

  /** The next batch, sorted by length, and out of the queue. Undefined when nothing of that priority waits. */
  next(priority: EmbedPriority): T[] | undefined {
    const lines = this.lines[priority];
    const [oldest, ...others] = firstOf(lines, this.nextTenant(lines));
    if (!oldest) return undefined;
    const byNearness = others.toSorted(
      (a, b) => Math.abs(a.tokens - oldest.tokens) - Math.abs(b.tokens - oldest.tokens),
    );
    const batch = new Set([oldest]);
    let longest = oldest.tokens;
    for (const item of byNearness) {
      if (batch.size >= this.limits.texts) break;
      if (Math.max(longest, item.tokens) * (batch.size + 1) > this.limits.tokens) continue;
      longest = Math.max(longest, item.tokens);
      batch.add(item);
    }
    for (const tenant of new Set([...batch].map((item) => item.tenant ?? ''))) take(lines, tenant, batch);
    this.counts[priority] -= batch.size;
    endTurn(lines, oldest.tenant ?? '');
    this.noteServed(batch);
    return [...batch].toSorted((a, b) => a.tokens - b.tokens);
  }

  /** Undefined when nobody waits. */
  private nextTenant(lines: Lines<T>): string | undefined {
    const tenants = [...lines.keys()];
    this.batches += 1;
    if (this.batches % turnEvery === 0) return tenants[0];
    const servedTo = (tenant: string): number => this.served.get(tenant) ?? 0;
    return tenants.reduce<string | undefined>(
      (least, each) => (least === undefined || servedTo(each) < servedTo(least) ? each : least),
      undefined,
    );
  }

  private noteServed(batch: Iterable<T>): void {
    for (const { tenant = '', tokens } of batch) {
      this.served.set(tenant, (this.served.get(tenant) ?? 0) + tokens);
      this.servedSinceHalving += tokens;
    }
    if (this.servedSinceHalving < halfLife) return;
    this.servedSinceHalving = 0;
    for (const [tenant, tokens] of this.served) {
      if (tokens < 2) this.served.delete(tenant);
      else this.served.set(tenant, tokens / 2);
    }
  }

  /** Takes out every waiting text that `condition` holds for. */
  remove(condition: (item: T) => boolean): T[] {
    const removed: T[] = [];
    for (const priority of ['query', 'batch'] as const) {
      const lines = this.lines[priority];
      for (const [tenant, line] of lines) {
        const gone = line.filter(condition);
        if (gone.length === 0) continue;
        removed.push(...gone);
        this.counts[priority] -= gone.length;
        if (gone.length === line.length) lines.delete(tenant);
        else
          lines.set(
            tenant,
            line.filter((item) => !condition(item)),
          );
      }
    }
    return removed;
  }
}

/** The oldest texts over all lines, those of one tenant first. */
function firstOf<T>(lines: Lines<T>, tenant: string | undefined): T[] {
  const first = (lines.get(tenant ?? '') ?? []).slice(0, lookahead);
  for (const [other, line] of lines) {
    if (first.length >= lookahead) break;
    if (other !== tenant) first.push(...line.slice(0, lookahead - first.length));
  }
  return first;
}

function take<T>(lines: Lines<T>, tenant: string, batch: ReadonlySet<T>): void {
  const line = lines.get(tenant)!;
  const rest = line.splice(0, lookahead).filter((item) => !batch.has(item));
  line.unshift(...rest);
  if (line.length === 0) lines.delete(tenant);
}

function endTurn<T>(lines: Lines<T>, tenant: string): void {
  const line = lines.get(tenant);
  if (!line) return;
  lines.delete(tenant);
  lines.set(tenant, line);
}
