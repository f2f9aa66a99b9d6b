import type { TokenUsage } from './language-model.js';

interface Price {
  readonly prompt: number;
  readonly completion: number;
}

const ENTRY = /^([^=\s]+)=(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/;
const PER_MILLION = 1_000_000;

/** What tokens cost, in US dollars per million, by model. */
export class ModelPrices {
  private constructor(private readonly prices: ReadonlyMap<string, Price>) {}

  /** Reads `model=prompt/completion`, several separated by commas; undefined when it is written otherwise. */
  static parse(text: string): ModelPrices | undefined {
    const prices = new Map<string, Price>();
    for (const entry of text.split(',').map((part) => part.trim())) {
      if (entry === '') continue;
      const [, model, prompt, completion] = ENTRY.exec(entry) ?? [];
      if (model === undefined) return undefined;
      prices.set(model, { prompt: Number(prompt), completion: Number(completion) });
    }
    return new ModelPrices(prices);
  }

  /** US dollars; undefined for a model without a price, which is not the same as free. */
  costOf(model: string, { promptTokens, completionTokens }: TokenUsage): number | undefined {
    const price = this.prices.get(model);
    return price && (promptTokens * price.prompt + completionTokens * price.completion) / PER_MILLION;
  }
}
