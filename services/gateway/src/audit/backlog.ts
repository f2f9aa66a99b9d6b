/** What waits to be written, oldest first; of more than `limit` the oldest are given up. */
export class Backlog<Item> {
  #items: Item[] = [];
  #givenUp = 0;

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    this.#items.push(item);
    // Not each time: it copies all that is left.
    if (this.#items.length > 1.1 * this.limit) this.#cut();
  }

  /** Takes the oldest out, `count` at most. */
  take(count: number): Item[] {
    return this.#items.splice(0, count);
  }

  /** Puts back what was taken, before all that came meanwhile. */
  putBack(taken: readonly Item[]): void {
    this.#items = taken.concat(this.#items);
    this.#cut();
  }

  /** @returns how many were given up since it was last asked. */
  countGivenUp(): number {
    const count = this.#givenUp;
    this.#givenUp = 0;
    return count;
  }

  #cut(): void {
    const tooMany = this.#items.length - this.limit;
    if (tooMany <= 0) return;
    this.#items = this.#items.slice(tooMany);
    this.#givenUp += tooMany;
  }
}
