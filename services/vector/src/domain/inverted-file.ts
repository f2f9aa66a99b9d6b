import { RagmeshError } from '@ragmesh/errors';
import { PostingsArena } from './postings-arena.js';

const FREQUENCY_BITS = 8;
const MAX_FREQUENCY = 2 ** FREQUENCY_BITS - 1;
/** Slots and frequencies share 32 bits: half the memory and half the cache misses of two arrays. */
export const MAX_SLOTS = 2 ** (32 - FREQUENCY_BITS);

interface Term {
  address: number;
  sizeClass: number;
  /** Postings stored, including those of removed slots that were not swept yet. */
  length: number;
  /** Slots that contain the term now. */
  documentFrequency: number;
}

/** The postings of one term: `postings[i] >>> 8` is a slot, `postings[i] & 255` how often the term occurs there. */
export interface PostingList {
  readonly postings: Uint32Array;
  readonly from: number;
  readonly to: number;
  readonly documentFrequency: number;
}

/** Term → postings. Removal lowers document frequencies at once and leaves the postings to a later sweep. */
export class InvertedFile {
  private readonly arena = new PostingsArena();
  private readonly terms = new Map<string, Term>();

  get size(): number {
    return this.terms.size;
  }

  get bytes(): number {
    return this.arena.bytes;
  }

  /** @param frequency occurrences in the slot; more than 255 count as 255, where BM25 is saturated anyway. */
  add(name: string, slot: number, frequency: number): void {
    if (slot >= MAX_SLOTS)
      throw new RagmeshError('STORAGE.FULL', `A collection holds at most ${MAX_SLOTS} points.`, { limit: MAX_SLOTS });
    const term = this.terms.get(name) ?? this.create(name);
    if (term.length === 2 ** term.sizeClass) this.grow(term);
    const at = this.arena.offset(term.address) + term.length;
    this.arena.array(term.address)[at] = ((slot << FREQUENCY_BITS) | Math.min(frequency, MAX_FREQUENCY)) >>> 0;
    term.length++;
    term.documentFrequency++;
  }

  /** Forgets one slot in the statistics of a term; the caller keeps the slot unused until `sweep` has passed. */
  discount(name: string): void {
    const term = this.terms.get(name);
    if (term) term.documentFrequency--;
  }

  postings(name: string): PostingList | undefined {
    const term = this.terms.get(name);
    if (!term || term.documentFrequency <= 0) return undefined;
    const from = this.arena.offset(term.address);
    return {
      postings: this.arena.array(term.address),
      from,
      to: from + term.length,
      documentFrequency: term.documentFrequency,
    };
  }

  /**
   * Drops the postings of condemned slots (flag 1), a term per step, so that the caller decides when to pause. Terms may
   * be added in between.
   */
  *sweep(condemned: Uint8Array): Generator<void> {
    for (const [name, term] of this.terms) {
      if (term.length > term.documentFrequency) this.compact(name, term, condemned);
      yield;
    }
  }

  private compact(name: string, term: Term, condemned: Uint8Array): void {
    const array = this.arena.array(term.address);
    const from = this.arena.offset(term.address);
    let kept = from;
    for (let at = from; at < from + term.length; at++) {
      const posting = array[at]!;
      if (condemned[posting >>> FREQUENCY_BITS] !== 1) array[kept++] = posting;
    }
    term.length = kept - from;
    if (term.length > 0) return;
    this.arena.free(term.address, term.sizeClass);
    this.terms.delete(name);
  }

  private create(name: string): Term {
    const term = { address: this.arena.allocate(0), sizeClass: 0, length: 0, documentFrequency: 0 };
    this.terms.set(name, term);
    return term;
  }

  private grow(term: Term): void {
    const address = this.arena.allocate(term.sizeClass + 1);
    const from = this.arena.offset(term.address);
    this.arena
      .array(address)
      .set(this.arena.array(term.address).subarray(from, from + term.length), this.arena.offset(address));
    this.arena.free(term.address, term.sizeClass);
    term.address = address;
    term.sizeClass++;
  }
}
