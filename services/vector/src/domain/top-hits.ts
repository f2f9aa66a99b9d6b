/** A point's slot in the index and how well it matches; higher is better. */
export interface ScoredSlot {
  readonly slot: number;
  readonly score: number;
}

/** Negative when the point in slot `a` goes before the one in `b` at equal scores. Must not depend on insertion order. */
export type TieBreak = (a: number, b: number) => number;

/**
 * Keeps the best `size` of any number of candidates in a binary heap whose root is the worst one kept, so that most
 * candidates cost one comparison.
 */
export class TopHits {
  private readonly heap: ScoredSlot[] = [];
  /** A candidate below this score cannot enter; one at it may, by the tie-break. */
  threshold = -Infinity;

  constructor(
    private readonly size: number,
    private readonly tieBreak: TieBreak,
  ) {
    if (size <= 0) this.threshold = Infinity;
  }

  offer(slot: number, score: number): void {
    const hit = { slot, score };
    if (this.heap.length < this.size) {
      this.heap.push(hit);
      this.siftUp(this.heap.length - 1);
    } else if (this.size > 0 && this.isBetter(hit, this.heap[0]!)) {
      this.heap[0] = hit;
      this.siftDown();
    }
    if (this.heap.length === this.size && this.size > 0) this.threshold = this.heap[0]!.score;
  }

  /** The kept candidates, best first. */
  sorted(): ScoredSlot[] {
    return [...this.heap].sort((a, b) => b.score - a.score || this.tieBreak(a.slot, b.slot));
  }

  private isBetter(a: ScoredSlot, b: ScoredSlot): boolean {
    return a.score > b.score || (a.score === b.score && this.tieBreak(a.slot, b.slot) < 0);
  }

  private siftUp(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.isBetter(this.heap[parent]!, this.heap[at]!)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private siftDown(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= this.heap.length) return;
      const right = left + 1;
      const worse = right < this.heap.length && this.isBetter(this.heap[left]!, this.heap[right]!) ? right : left;
      if (!this.isBetter(this.heap[at]!, this.heap[worse]!)) return;
      this.swap(at, worse);
      at = worse;
    }
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b]!, this.heap[a]!];
  }
}
