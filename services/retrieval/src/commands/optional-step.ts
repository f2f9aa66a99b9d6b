import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import type { Logger } from '@ragmesh/observability';
import { IndexChanged } from '../adapters/vector-index.js';
import type { SpentTokens } from '../domain/spent-tokens.js';

/** What a step may leave its mark on. */
export interface Degradable {
  readonly scope: CallScope;
  readonly degraded: Set<string>;
  readonly spent: SpentTokens;
}

/** Steps that an answer can do without. */
@Injectable()
export class OptionalStep {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  /**
   * What the step gives; undefined when it failed, which is then named in `degraded`.
   * @throws only when nobody waits for an answer any more, or the search is to be made anew.
   */
  async attempt<T>(name: string, { scope, degraded }: Degradable, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (scope.deadline.hasExpired || error instanceof IndexChanged) throw error;
      const { code, details } = asRagmeshError(error);
      this.logger.warn({ step: name, code, reason: details.reason }, 'The search goes on without one of its steps');
      degraded.add(name);
      return undefined;
    }
  }
}
