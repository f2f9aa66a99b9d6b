import { describe, expect, it } from '@jest/globals';
import { GenerationModels } from './generation-models.js';
import type { GenerationRepository } from './generation.repository.js';
import type { VectorStore } from './vector-store.js';

const scope = { tenant: 'default', collection: 'c' };

/** Generations 0 and 1 are of one model; readers are changed over as the script says, once per look. */
function modelsWith(...live: number[]) {
  const store = { liveGeneration: () => (live.length > 1 ? live.shift()! : live[0]!) };
  const generations = { model: () => Promise.resolve(null), builtWith: () => Promise.resolve('m@1') };
  return new GenerationModels(store as unknown as VectorStore, generations as unknown as GenerationRepository);
}

describe('a search while readers are changed over to a generation of the same model', () => {
  it('is made again, and says which one it saw', async () => {
    let searches = 0;
    const search = () => `search ${(searches += 1)}`;
    const origin = { named: '', madeBy: 'm@1' };
    expect(await modelsWith(0, 1).searchBy(origin, scope, search)).toEqual({ found: 'search 2', generation: 1 });
    expect(await modelsWith(1).inOne(scope, search)).toEqual({ found: 'search 3', generation: 1 });
  });

  it('is given up when that happens all the time', async () => {
    const flapping = modelsWith(...Array.from({ length: 20 }, (_, look) => look % 2));
    await expect(flapping.inOne(scope, () => 'x')).rejects.toMatchObject({ code: 'VECTOR.UNAVAILABLE' });
  });
});
