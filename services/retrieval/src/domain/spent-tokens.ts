/** What a language model read and wrote, and in US dollars what that cost, where it has a price. */
export interface Tokens {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost?: number;
}

export const NO_TOKENS: Tokens = { promptTokens: 0, completionTokens: 0 };

/** What the steps of one search or answer took, added up as they come; without a cost where a step that took any has none. */
export class SpentTokens {
  #sum = NO_TOKENS;

  add(step: Tokens = NO_TOKENS): void {
    const { promptTokens, completionTokens } = step;
    if (promptTokens + completionTokens === 0) return;
    const isPriced = step.cost !== undefined && (this.#sum === NO_TOKENS || this.#sum.cost !== undefined);
    this.#sum = {
      promptTokens: this.#sum.promptTokens + promptTokens,
      completionTokens: this.#sum.completionTokens + completionTokens,
      ...(isPriced ? { cost: (this.#sum.cost ?? 0) + step.cost } : {}),
    };
  }

  get sum(): Tokens {
    return this.#sum;
  }
}
