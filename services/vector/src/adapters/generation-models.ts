import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { LRUCache } from 'lru-cache';
import { GenerationRepository } from './generation.repository.js';
import { VectorStore, type Answer, type Scope } from './vector-store.js';

const MAX_GENERATIONS = 10_000;

/** Which models generations were built with. Whoever asks with a vector of another one is told, not answered. */
@Injectable()
export class GenerationModels {
  /** Never untrue: a generation keeps its model, and its number is not given again. */
  readonly #known = new LRUCache<string, { readonly model: string }>({ max: MAX_GENERATIONS });

  constructor(
    private readonly store: VectorStore,
    private readonly generations: GenerationRepository,
  ) {}

  /**
   * Runs a search by a vector of this model, and gives what it found only when readers saw a generation of that model before
   * and after it.
   * @param model as named for the generation; nothing for this installation's own.
   * @throws RagmeshError `VECTOR.MODEL_CHANGED` with the one it is in its details.
   */
  async searchBy<T>(model: string, scope: Scope, search: () => Answer<T>): Promise<T> {
    await this.#check(model, scope);
    const found = await search();
    await this.#check(model, scope);
    return found;
  }

  async #check(model: string, scope: Scope): Promise<void> {
    const actual = await this.#modelOf(scope, await this.store.liveGeneration(scope));
    if (actual === model) return;
    throw new RagmeshError('VECTOR.MODEL_CHANGED', 'The collection is indexed with another embedding model.', {
      collection: scope.collection,
      model: actual,
    });
  }

  async #modelOf(scope: Scope, generation: number): Promise<string> {
    if (generation === 0) return '';
    const key = JSON.stringify([scope.tenant, scope.collection, generation]);
    const known = this.#known.get(key);
    if (known) return known.model;
    const model = (await this.generations.model(scope, generation)) ?? '';
    this.#known.set(key, { model });
    return model;
  }
}
