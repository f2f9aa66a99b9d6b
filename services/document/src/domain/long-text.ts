/**
 * A text kept in the pieces it came in: a text of 20 million characters as one string takes longer to make than the event
 * loop may be held up. Offsets count UTF-16 units, as in a string.
 */
export class LongText {
  readonly #pieces: string[] = [];
  /** Where each piece begins. */
  readonly #starts: number[] = [];
  #length = 0;

  /** @param pieces UTF-8; their ends may lie within a character. */
  static async decoded(pieces: AsyncIterable<Uint8Array>): Promise<LongText> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const text = new LongText();
    for await (const piece of pieces) text.#add(decoder.decode(piece, { stream: true }));
    text.#add(decoder.decode());
    return text;
  }

  static of(whole: string): LongText {
    const text = new LongText();
    text.#add(whole);
    return text;
  }

  get length(): number {
    return this.#length;
  }

  /** As of a string, for offsets that are not negative. */
  slice(start: number, end: number): string {
    let at = this.#pieceAt(start);
    let found = '';
    for (; at < this.#pieces.length && this.#starts[at]! < end; at += 1) {
      const begin = this.#starts[at]!;
      found += this.#pieces[at]!.slice(Math.max(0, start - begin), end - begin);
    }
    return found;
  }

  /** All of it; for texts that are known to be small. */
  toString(): string {
    return this.#pieces.join('');
  }

  #add(piece: string): void {
    if (piece === '') return;
    this.#starts.push(this.#length);
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** Number of the last piece that begins at `offset` or before. */
  #pieceAt(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low + 1 < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low;
  }
}
