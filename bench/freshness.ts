import { quantile } from './quantile.js';
import { search, uploadText } from './requests.js';

const ROUNDS = 40;
/** About one printed page. */
const PAGE = 'The relay reads rows in order of their key and notes where each of them lies on the bus. '.repeat(22);

/** Upload to searchable of a one-page text, one at a time on an idle system: milliseconds until a search finds it. */
export async function measureFreshness(url: string): Promise<{ p50: number; p90: number }> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const word = `freshword${round}x${Date.now().toString(36)}`;
    const begin = performance.now();
    const id = await uploadText(url, 'freshness', `${word}. ${PAGE}`);
    for (;;) {
      const { results } = await search(url, { query: word, collection: 'freshness', mode: 'lexical', top_k: 1 });
      if (results[0]?.document_id === id) break;
    }
    times.push(performance.now() - begin);
  }
  return { p50: quantile(times, 0.5), p90: quantile(times, 0.9) };
}
