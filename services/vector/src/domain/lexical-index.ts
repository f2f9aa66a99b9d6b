import { InvertedFile, type PostingList } from './inverted-file.js';
import { countTerms, queryTerms } from './term-counts.js';
import { TopHits, type ScoredSlot, type TieBreak } from './top-hits.js';

/** `k1` bounds what repetition adds, `b` how much long texts are discounted. */
export interface Bm25Parameters {
  readonly k1: number;
  readonly b: number;
}

/** What a search may return: slots with flag 1, at most `topK`, ties decided by `tieBreak`. */
export interface LexicalSearchOptions {
  readonly topK: number;
  readonly allowed: Uint8Array;
  readonly tieBreak: TieBreak;
}

interface WeightedList extends PostingList {
  readonly weight: number;
}

/**
 * BM25 over an inverted file, as in Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), with Lucene's
 * never negative idf `ln(1 + (N - df + 0.5) / (df + 0.5))`:
 * score = Σ idf · (k1 + 1) · tf / (tf + k1 · (1 - b + b · length / averageLength)).
 */
export class LexicalIndex {
  private readonly file = new InvertedFile();
  private lengths = new Uint32Array(1024);
  private norms = new Float32Array(1024);
  private scores = new Float32Array(1024);
  private normsAverage = -1;
  private slots = 0;
  private documents = 0;
  private totalLength = 0;

  constructor(private readonly parameters: Bm25Parameters = { k1: 1.2, b: 0.75 }) {}

  get statistics(): { documents: number; averageLength: number; terms: number; postingBytes: number } {
    return {
      documents: this.documents,
      averageLength: this.averageLength,
      terms: this.file.size,
      postingBytes: this.file.bytes,
    };
  }

  /** Indexes `text` under a slot that holds nothing. */
  add(slot: number, text: string): void {
    this.ensureSlot(slot);
    const { frequencies, length } = countTerms(text);
    for (const [term, frequency] of frequencies) this.file.add(term, slot, frequency);
    this.lengths[slot] = length;
    this.norms[slot] = this.normOf(length, this.normsAverage);
    this.documents++;
    this.totalLength += length;
  }

  /**
   * Takes a slot out of the statistics. `text` is what was added: keeping terms per slot would double the memory.
   * The slot must not be allowed in searches any more, nor used again before `sweep` has finished.
   */
  remove(slot: number, text: string): void {
    for (const term of countTerms(text).frequencies.keys()) this.file.discount(term);
    this.totalLength -= this.lengths[slot]!;
    this.lengths[slot] = 0;
    this.documents--;
  }

  /** Frees the postings of removed slots (flag 1) step by step; afterwards these slots may be used again. */
  sweep(condemned: Uint8Array): Generator<void> {
    return this.file.sweep(condemned);
  }

  /** The best allowed slots with a score above zero, best first. An empty or unknown query finds nothing. */
  search(query: string, { topK, allowed, tieBreak }: LexicalSearchOptions): ScoredSlot[] {
    const lists = this.weightedLists(query);
    if (lists.length === 0 || topK <= 0) return [];
    this.refreshNorms();
    const scores = this.scores.fill(0, 0, this.slots);
    for (const list of lists) accumulate(list, this.norms, scores);
    const hits = new TopHits(topK, tieBreak);
    const end = Math.min(this.slots, allowed.length);
    for (let slot = 0, threshold = hits.threshold; slot < end; slot++) {
      const score = scores[slot]!;
      if (score <= 0 || score < threshold || allowed[slot] !== 1) continue;
      hits.offer(slot, score);
      threshold = hits.threshold;
    }
    return hits.sorted();
  }

  private get averageLength(): number {
    return this.documents === 0 ? 0 : this.totalLength / this.documents;
  }

  private weightedLists(query: string): WeightedList[] {
    const lists: WeightedList[] = [];
    for (const [term, occurrences] of queryTerms(query)) {
      const list = this.file.postings(term);
      if (!list) continue;
      const { documentFrequency } = list;
      const idf = Math.log(1 + (this.documents - documentFrequency + 0.5) / (documentFrequency + 0.5));
      lists.push({ ...list, weight: occurrences * idf * (this.parameters.k1 + 1) });
    }
    return lists;
  }

  private normOf(length: number, average: number): number {
    const { k1, b } = this.parameters;
    return k1 * (1 - b + (average > 0 ? (b * length) / average : 0));
  }

  /** The average length moves with every change; one pass over the slots is cheaper than a division per posting. */
  private refreshNorms(): void {
    const average = this.averageLength;
    if (average === this.normsAverage) return;
    for (let slot = 0; slot < this.slots; slot++) this.norms[slot] = this.normOf(this.lengths[slot]!, average);
    this.normsAverage = average;
  }

  private ensureSlot(slot: number): void {
    this.slots = Math.max(this.slots, slot + 1);
    if (slot < this.lengths.length) return;
    const capacity = Math.max(slot + 1, this.lengths.length * 2);
    const [lengths, norms] = [new Uint32Array(capacity), new Float32Array(capacity)];
    lengths.set(this.lengths);
    norms.set(this.norms);
    [this.lengths, this.norms, this.scores] = [lengths, norms, new Float32Array(capacity)];
  }
}

function accumulate({ postings, from, to, weight }: WeightedList, norms: Float32Array, scores: Float32Array): void {
  for (let at = from; at < to; at++) {
    const posting = postings[at]!;
    const slot = posting >>> 8;
    const frequency = posting & 255;
    scores[slot] = scores[slot]! + (weight * frequency) / (frequency + norms[slot]!);
  }
}
