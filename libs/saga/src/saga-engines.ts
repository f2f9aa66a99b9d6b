import type { SagaEngine } from './saga-engine.js';

/** The sagas of one service, by name. Each engine has data of its own type, which nobody here looks at. */
export class SagaEngines {
  readonly #engines = new Map<string, SagaEngine<never>>();

  add<Data extends object>(engine: SagaEngine<Data>): void {
    const { name } = engine.definition;
    if (this.#engines.has(name)) throw new Error(`Two sagas have the name ${name}`);
    this.#engines.set(name, engine as unknown as SagaEngine<never>);
  }

  /** @throws Error for a name nobody added: a row of a saga this release no longer has. */
  of(name: string): SagaEngine<never> {
    const engine = this.#engines.get(name);
    if (!engine) throw new Error(`This service has no saga ${name}`);
    return engine;
  }

  list(): SagaEngine<never>[] {
    return [...this.#engines.values()];
  }
}
