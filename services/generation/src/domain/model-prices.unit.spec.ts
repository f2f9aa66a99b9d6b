import { describe, expect, it } from '@jest/globals';
import { furtherProviders } from './further-providers.js';
import { ModelPrices } from './model-prices.js';
import { estimateTokens } from './token-estimate.js';

describe('prices and tokens', () => {
  it('gives the cost of a model with a price, and none for another', () => {
    const prices = ModelPrices.parse('gpt-4o-mini=0.15/0.60, llama3:8b=0/0')!;
    const usage = { promptTokens: 1_000_000, completionTokens: 500_000 };
    expect(prices.costOf('gpt-4o-mini', usage)).toBeCloseTo(0.45);
    expect(prices.costOf('llama3:8b', usage)).toBe(0);
    expect(prices.costOf('unknown', usage)).toBeUndefined();
  });

  it.each(['a', 'a=1', 'a=1/x', '=1/2', 'a=-1/2'])('refuses %s', (text) => {
    expect(ModelPrices.parse(text)).toBeUndefined();
  });

  it('counts tokens roughly, more of them where a character is a word', () => {
    expect(estimateTokens('four words of English')).toBe(6);
    expect(estimateTokens('上传文件')).toBe(4);
    expect(estimateTokens('')).toBe(0);
  });
});

describe('furtherProviders', () => {
  it('reads servers and local models, in order', () => {
    const json =
      '[{"name":"b","models":["m"],"base_url":"http://b/v1","api_key":"k"},{"name":"l","models":["t"],"backend":"local"}]';
    expect(furtherProviders(json)).toMatchObject([
      { name: 'b', backend: 'openai' },
      { name: 'l', backend: 'local' },
    ]);
  });

  it.each([
    'x',
    '{}',
    '[{"name":"b","models":[],"base_url":"http://b"}]',
    '[{"name":"b","models":["m"]}]',
    '[{"name":"b","models":["m"],"base_url":"file:///etc"}]',
    '[{"name":"openai","models":["m"],"base_url":"http://b"}]',
    '[{"name":"b","models":["m"],"base_url":"http://b","apikey":"typo"}]',
  ])('refuses %s', (json) => expect(furtherProviders(json)).toBeUndefined());
});
