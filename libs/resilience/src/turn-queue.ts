/**
 * One queue of several lines that are served in turn: whoever stands in a short line waits for one item of each other line,
 * however long those are. Within a line, first come, first served.
 */
export class TurnQueue<Item> {
  /** In the order of their turns; a line without items has none. */
  readonly #lines = new Map<string, Item[]>();

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  push(line: string, item: Item): void {
    const items = this.#lines.get(line);
    if (items) items.push(item);
    else this.#lines.set(line, [item]);
  }

  /** Takes the oldest item of the line whose turn it is, among those that `mayGo`; that line's next turn comes last. */
  shift(mayGo: (line: string) => boolean = () => true): Item | undefined {
    for (const [line, items] of this.#lines) {
      if (!mayGo(line)) continue;
      const item = items.shift();
      this.#lines.delete(line);
      if (items.length > 0) this.#lines.set(line, items);
      return item;
    }
    return undefined;
  }

  /** @returns false when it is not in the line, or not any more. */
  remove(line: string, item: Item): boolean {
    const items = this.#lines.get(line);
    const place = items?.indexOf(item) ?? -1;
    if (!items || place < 0) return false;
    items.splice(place, 1);
    if (items.length === 0) this.#lines.delete(line);
    return true;
  }
}
