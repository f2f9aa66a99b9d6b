import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';

const MINUTE_MS = 60_000;

/**
 * Tells operators why a model cannot be had: each cause of a model once a minute, because whoever needs the model goes on
 * asking for it.
 */
export class ModelFailures {
  /** When each cause was told last. */
  readonly #told = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  tell(model: string, failure: unknown): void {
    const error = asRagmeshError(failure);
    const now = performance.now();
    for (const [cause, at] of this.#told) if (now - at >= MINUTE_MS) this.#told.delete(cause);
    const cause = `${error.code} ${model}`;
    if (this.#told.has(cause)) return;
    this.#told.set(cause, now);
    const level = error.retry === 'permanent' ? 'error' : 'warn';
    this.logger[level]({ model, code: error.code, err: error }, 'A model cannot be had');
  }
}
