import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { CallOptions } from '@ragmesh/grpc';
import { Calls } from './calls.js';

/** How answers without a language model name their model, and by which those can be asked for. */
export const EXTRACTIVE = 'extractive';

/** An answer does not wait longer to learn who may write it. */
const PATIENCE_MS = 2_000;
/** Models change only when generation starts anew; to ask for every answer would cost each of them a call. */
const KEEP_MS = 10_000;

/** Which language models answers can be asked of. */
@Injectable()
export class LanguageModelNames {
  #kept: { readonly names: ReadonlySet<string>; readonly until: number } | undefined;

  constructor(private readonly calls: Calls) {}

  /**
   * Refuses a model that no answer will come from before anything is searched for it. Where none is configured every name
   * means the same. What cannot be found out now is left to whoever answers.
   * @throws RagmeshError REQUEST.INVALID.
   */
  async check(model: string | undefined, options: CallOptions): Promise<void> {
    if (model === undefined || model === EXTRACTIVE) return;
    const known = await this.#all(options).catch(() => undefined);
    if (known === undefined || known.size === 0 || known.has(model)) return;
    const names = [...known, EXTRACTIVE].join(', ');
    throw new RagmeshError('REQUEST.INVALID', `Field model must be one of ${names}.`, { field: 'model' });
  }

  async #all({ deadlineMs = PATIENCE_MS, ...options }: CallOptions): Promise<ReadonlySet<string>> {
    if (this.#kept && performance.now() < this.#kept.until) return this.#kept.names;
    const patience = { ...options, deadlineMs: Math.min(deadlineMs, PATIENCE_MS) };
    const { models } = await this.calls.generation.listLanguageModels({}, patience);
    const names = new Set(models.map(({ name }) => name));
    this.#kept = { names, until: performance.now() + KEEP_MS };
    return names;
  }
}
