import type { LexicalIndex } from '../../domain/lexical-index.js';
import type { TimeSlice } from './time-slice.js';

const MIN_REMOVED = 1024;

/**
 * Makes the slots of removed points usable again: their postings are swept once removed points are many, a few terms at a
 * time, by whoever adds points. Memory stays proportional to what is stored, and no background task exists.
 */
export class SlotReclaimer {
  private removed: number[] = [];
  private sweep: { readonly steps: Generator<void>; readonly slots: readonly number[] } | undefined;

  constructor(
    private readonly lexical: LexicalIndex,
    private readonly release: (slots: readonly number[]) => void,
  ) {}

  add(slot: number): void {
    this.removed.push(slot);
  }

  /** Works for one slice when a sweep is due. @param size points in the index, @param slots slots ever used. */
  work(size: number, slots: number, slice: TimeSlice): void {
    if (!this.sweep && this.removed.length < Math.max(MIN_REMOVED, size / 4)) return;
    this.sweep ??= this.begin(slots);
    do {
      if (this.sweep.steps.next().done) {
        this.release(this.sweep.slots);
        this.sweep = undefined;
        return;
      }
    } while (!slice.used);
  }

  private begin(slots: number): { steps: Generator<void>; slots: readonly number[] } {
    const condemned = new Uint8Array(slots);
    for (const slot of this.removed) condemned[slot] = 1;
    const sweep = { steps: this.lexical.sweep(condemned), slots: this.removed };
    this.removed = [];
    return sweep;
  }
}
