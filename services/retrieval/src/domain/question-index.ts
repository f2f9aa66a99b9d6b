import { dotProduct } from './vector-bytes.js';

/** A question, and the key of its results. */
export interface KnownQuestion {
  readonly key: string;
  readonly text: string;
  /** Of length 1. */
  readonly vector: Float32Array;
}

/** The questions of one kind that were asked last, found by likeness. */
export class QuestionIndex {
  readonly #questions = new Map<string, KnownQuestion & { readonly figures: string }>();

  /** @param capacity beyond it the oldest is forgotten. */
  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.#questions.size;
  }

  /** @returns the key of the question that was forgotten for it. */
  add(question: KnownQuestion): string | undefined {
    this.#questions.delete(question.key);
    this.#questions.set(question.key, { ...question, figures: figuresOf(question.text) });
    if (this.#questions.size <= this.capacity) return undefined;
    const oldest = this.#questions.keys().next().value!;
    this.#questions.delete(oldest);
    return oldest;
  }

  remove(key: string): void {
    this.#questions.delete(key);
  }

  /**
   * Keys of questions whose cosine is at least `threshold`, most similar first. Questions that name other figures are never
   * similar: to a model "revenue in 2023" and "revenue in 2024" are nearly the same, to their readers they are not.
   */
  similar({ text, vector }: Omit<KnownQuestion, 'key'>, threshold: number): string[] {
    const figures = figuresOf(text);
    return [...this.#questions.values()]
      .filter((known) => known.figures === figures && known.vector.length === vector.length)
      .map(({ key, vector: other }) => ({ key, cosine: dotProduct(vector, other) }))
      .filter(({ cosine }) => cosine >= threshold)
      .sort((a, b) => b.cosine - a.cosine)
      .map(({ key }) => key);
  }
}

/** Words with a digit, in order of their code units. */
const figuresOf = (text: string): string =>
  (text.toLowerCase().match(/[\p{L}\p{N}.,:/-]*\p{N}[\p{L}\p{N}]*/gu) ?? []).sort().join(' ');
