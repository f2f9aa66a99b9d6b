import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { LRUCache } from 'lru-cache';
import { isSameModel } from '../domain/model-name.js';
import { GenerationRepository } from './generation.repository.js';
import { VectorStore, type Answer, type Scope } from './vector-store.js';

const MAX_GENERATIONS = 10_000;
/** Cut-overs are minutes apart; a search that meets one is made again. */
const MAX_ATTEMPTS = 5;

/** Where the vector of a search comes from. */
export interface VectorOrigin {
  /** The model named for the generation it is for; nothing for this installation's own. */
  readonly named: string;
  /** The model that made it, `name@revision`; nothing when that is not said. */
  readonly madeBy: string;
}

/** What a search found, and in which generation. */
export interface FoundIn<T> {
  readonly found: T;
  readonly generation: number;
}

/** Which models generations were built with. Whoever asks with a vector of another one is told, not answered. */
@Injectable()
export class GenerationModels {
  /** Never untrue: a generation keeps the model named for it, and its number is not given again. */
  readonly #named = new LRUCache<string, { readonly model: string }>({ max: MAX_GENERATIONS });
  /** Of points, as read last; a collection that was emptied may have got others since. */
  readonly #built = new LRUCache<string, string>({ max: MAX_GENERATIONS });

  constructor(
    private readonly store: VectorStore,
    private readonly generations: GenerationRepository,
  ) {}

  /**
   * Runs a search by a vector, and gives what it found only when readers saw one generation all the while, whose points are
   * of the vector's model: numbers of two models say nothing about each other, even where there are as many of them.
   * @throws RagmeshError `VECTOR.MODEL_CHANGED` when another model is named for the generation, with it in its details;
   * `VECTOR.DIMENSION_MISMATCH` when its points are of another model than the vector; `VECTOR.UNAVAILABLE` when readers are
   * changed over faster than can be searched.
   */
  searchBy<T>(origin: VectorOrigin, scope: Scope, search: () => Answer<T>): Promise<FoundIn<T>> {
    return this.inOne(scope, search, (generation) => this.#check(origin, scope, generation));
  }

  /** The same for a search without a vector. @throws RagmeshError `VECTOR.UNAVAILABLE`. */
  async inOne<T>(
    scope: Scope,
    search: () => Answer<T>,
    check: (generation: number) => Promise<void> | void = () => undefined,
  ): Promise<FoundIn<T>> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const generation = await this.store.liveGeneration(scope);
      await check(generation);
      const found = await search();
      if ((await this.store.liveGeneration(scope)) === generation) return { found, generation };
    }
    throw new RagmeshError('VECTOR.UNAVAILABLE', 'The index was changed over faster than it could be searched.');
  }

  /**
   * Whether the points of a generation are of a model, as far as can be told: true when it has none, or none is named. Of a
   * generation that no model was named for, the revision is left aside.
   */
  async isOf(model: string, scope: Scope, generation: number): Promise<boolean> {
    if (model === '') return true;
    const built = await this.#builtWith(scope, generation, model);
    return built === undefined || isSameModel(built, model);
  }

  async #check({ named, madeBy }: VectorOrigin, scope: Scope, generation: number): Promise<void> {
    const { collection } = scope;
    const actual = await this.#nameOf(scope, generation);
    if (actual !== named) {
      const message = 'The collection is indexed with another embedding model.';
      throw new RagmeshError('VECTOR.MODEL_CHANGED', message, { collection, model: actual });
    }
    if (await this.isOf(madeBy, scope, generation)) return;
    const message = 'The vector is of another embedding model than the index.';
    throw new RagmeshError('VECTOR.DIMENSION_MISMATCH', message, { collection, model: madeBy });
  }

  async #nameOf(scope: Scope, generation: number): Promise<string> {
    if (generation === 0) return '';
    const key = keyOf(scope, generation);
    const known = this.#named.get(key);
    if (known) return known.model;
    const model = (await this.generations.model(scope, generation)) ?? '';
    this.#named.set(key, { model });
    return model;
  }

  /** What is remembered is read again when it is not what is wanted, so it never refuses what the rows would not. */
  async #builtWith(scope: Scope, generation: number, wanted: string): Promise<string | undefined> {
    const key = keyOf(scope, generation);
    const known = this.#built.get(key);
    if (known !== undefined && isSameModel(known, wanted)) return known;
    const model = await this.generations.builtWith(scope, generation);
    if (model !== undefined) this.#built.set(key, model);
    return model;
  }
}

const keyOf = ({ tenant, collection }: Scope, generation: number): string =>
  JSON.stringify([tenant, collection, generation]);
