/**
 * Work that takes up all that was noted before it began. While one run is under way, which may have passed what was noted since,
 * all who ask share the one after it: so many who ask of something slow wait for two runs at most, not for one each.
 */
export class SharedRun {
  #last: Promise<void> = Promise.resolve();
  /** The run that has not begun. */
  #next: Promise<void> | undefined;

  /** @param work one run, which reports its failures itself and never rejects. */
  constructor(private readonly work: () => Promise<void>) {}

  /** Resolves when a run that began after this call has ended. */
  run(): Promise<void> {
    this.#next ??= this.#last = this.#last.then(() => {
      this.#next = undefined;
      return this.work();
    });
    return this.#next;
  }
}
