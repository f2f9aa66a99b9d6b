import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { Outbox } from '@ragmesh/outbox';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import { GenerationProgress } from '../adapters/generation-progress.repository.js';
import { GenerationRepository } from '../adapters/generation.repository.js';
import { VectorStore, type Scope } from '../adapters/vector-store.js';

/** The generation lacks documents that readers see; nothing was changed. */
class Incomplete extends Error {
  constructor(readonly missing: number) {
    super(`${missing} documents are missing`);
  }
}

/** Changes readers of a collection over to another generation, only ever to one that has all they see. */
@Injectable()
export class ShowGeneration {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly store: VectorStore,
    private readonly generations: GenerationRepository,
    private readonly progress: GenerationProgress,
  ) {}

  /**
   * Safe to repeat. The event for whoever keeps results comes after readers have changed over; a crash in between costs the
   * event, so the caller asks until it is answered.
   * @returns how many documents the generation lacks; 0 when readers see it now.
   * @throws RagmeshError `REINDEX.NO_SUCH_GENERATION`, `REQUEST.INVALID` for one without points while readers see documents.
   */
  async run(scope: Scope, generation: number): Promise<number> {
    try {
      if ((await this.generations.live(scope)) === generation) await this.store.followLive(scope);
      else await this.cutOver(scope, generation);
    } catch (error) {
      if (error instanceof Incomplete) return error.missing;
      throw error;
    }
    const { collection } = scope;
    await this.outbox.transaction(async (_tx, { publish }) => {
      publish(catalogue.vectorUpdated, collection, { collection });
    });
    return 0;
  }

  private async cutOver(scope: Scope, generation: number): Promise<void> {
    await this.progress.seal(scope, await this.generations.live(scope));
    // Nothing in it waits for an event that is being handled: such a one may wait for it.
    await this.store.cutOver(scope, generation, (work) =>
      this.database.transaction(async (tx) => {
        await this.generations.keepVersions(tx, scope);
        await this.check(tx, scope, generation);
        return work(tx);
      }),
    );
  }

  private async check(tx: SqlTransaction, scope: Scope, generation: number): Promise<void> {
    if (!(await this.generations.hold(tx, scope, generation))) {
      throw new RagmeshError('REINDEX.NO_SUCH_GENERATION', `There is no generation ${generation}.`, { generation });
    }
    const { documents, complete } = await this.progress.state(scope, generation, '', tx);
    if (documents > complete) throw new Incomplete(documents - complete);
  }
}
