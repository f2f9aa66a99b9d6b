/** The same items in an order that looks random and is always the same for the same `seed`. */
export function scattered<Item>(items: readonly Item[], seed: string, keyOf: (item: Item) => string): Item[] {
  const start = hash(seed, 0);
  return items
    .map((item) => ({ item, key: keyOf(item), place: hash(keyOf(item), start) }))
    .sort((a, b) => a.place - b.place || (a.key < b.key ? -1 : 1))
    .map(({ item }) => item);
}

/** FNV-1a over UTF-16 units, with the last step of MurmurHash3 so that similar texts come far apart; 32 bits. */
function hash(text: string, seed: number): number {
  let state = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
