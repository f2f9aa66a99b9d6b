/** More than so many are forgotten, the first remembered first. */
const MAX_REMEMBERED = 10_000;

interface Remembered<Answer> {
  /** In milliseconds of a clock that only goes forward: nothing must live longer because the time was set back. */
  readonly askedAt: number;
  readonly answer: Answer;
}

/** Remembers answers for a short time, and asks once for all who want the same one at a time. */
export class ShortMemory<Answer> {
  readonly #known = new Map<string, Remembered<Answer>>();
  readonly #asking = new Map<string, Promise<Answer | undefined>>();
  #forgotten = 0;

  constructor(private readonly keepMs: number) {}

  /** What was last remembered, however long ago. */
  last(name: string): Answer | undefined {
    return this.#known.get(name)?.answer;
  }

  /** What is remembered or else asked for; `undefined` is not remembered. @throws what `ask` throws: nothing is answered from before. */
  async answer(name: string, ask: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
    const known = this.#known.get(name);
    if (known && performance.now() - known.askedAt < this.keepMs) return known.answer;
    const asking = this.#asking.get(name) ?? this.#ask(name, ask).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return asking;
  }

  /** Has these asked for again; what is being asked may be of before, and is not remembered. */
  forget(isMeant: (name: string) => boolean): void {
    this.#forgotten += 1;
    for (const names of [this.#known, this.#asking])
      for (const name of [...names.keys()].filter(isMeant)) names.delete(name);
  }

  async #ask(name: string, ask: () => Promise<Answer | undefined>): Promise<Answer | undefined> {
    const askedAt = performance.now();
    const forgotten = this.#forgotten;
    const answer = await ask();
    this.#known.delete(name);
    if (answer === undefined || forgotten !== this.#forgotten) return answer;
    this.#known.set(name, { askedAt, answer });
    if (this.#known.size > MAX_REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    return answer;
  }
}
