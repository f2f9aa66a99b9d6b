/** Completed offsets of one partition: events end out of order, positions are committed in order and without a gap. */
export class OffsetTracker {
  /** Bytes of each that is not complete. */
  readonly #open = new Map<number, number>();
  #bytes = 0;
  #next: number | undefined;
  #committed: number | undefined;

  /** Notes a delivered offset, and the bytes that are held for it. */
  add(offset: number, bytes: number): void {
    this.#open.set(offset, bytes);
    this.#bytes += bytes;
    this.#next = offset + 1;
  }

  complete(offset: number): void {
    this.#bytes -= this.#open.get(offset) ?? 0;
    this.#open.delete(offset);
  }

  get inFlight(): number {
    return this.#open.size;
  }

  get bytesInFlight(): number {
    return this.#bytes;
  }

  /** The position to commit: everything before it is complete. Undefined when nothing new is. */
  takePosition(): number | undefined {
    if (this.#next === undefined) return undefined;
    // Insertion order is offset order, so the first open one is the lowest.
    const [lowestOpen] = this.#open.keys();
    const position = lowestOpen ?? this.#next;
    if (position === this.#committed) return undefined;
    this.#committed = position;
    return position;
  }

  /** Storing this position failed: it, or a later one, is to be taken again. */
  putBack(position: number): void {
    if (this.#committed === position) this.#committed = undefined;
  }
}
