/** What a language model read and wrote. */
export interface Tokens {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export const NO_TOKENS: Tokens = { promptTokens: 0, completionTokens: 0 };

/** What the steps of one search or answer took, added up as they come. */
export class SpentTokens {
  #sum = NO_TOKENS;

  add({ promptTokens, completionTokens }: Tokens = NO_TOKENS): void {
    this.#sum = {
      promptTokens: this.#sum.promptTokens + promptTokens,
      completionTokens: this.#sum.completionTokens + completionTokens,
    };
  }

  get sum(): Tokens {
    return this.#sum;
  }
}
