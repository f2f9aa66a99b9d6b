/** Runs `work` over all items, at most `limit` at a time; the first failure stops the taking of further items. */
export async function forEachConcurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const source = (async function* () {
    yield* items;
  })();
  const worker = async () => {
    for (let next = await source.next(); !next.done; next = await source.next()) await work(next.value);
  };
  try {
    await Promise.all(Array.from({ length: limit }, worker));
  } finally {
    await source.return();
  }
}
