/** One thing after the other per key, in order of arrival; different keys at once. */
export class DocumentTurns {
  private readonly tails = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.tails.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.tails.get(key) === turn) this.tails.delete(key);
    }
  }

  /** Resolves once what was under way at the call has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.tails.values()]);
  }
}
