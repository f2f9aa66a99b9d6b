import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { Publish } from '@ragmesh/messaging';
import { currentTenant } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { SagaEngine, type SagaError, type SagaInput, type SagaState } from '@ragmesh/saga';
import { GenerationRepository, type GenerationOperation } from '../adapters/generation.repository.js';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { Target } from '../domain/chunking.js';
import { publishRecut } from '../publishes/collection-recut.event.js';
import { reindexId, reindexSaga, type Reindex } from '../sagas/reindex.saga.js';

/** The reindex saga together with what callers see of it: each move changes the generation's row with it. */
@Injectable()
export class ReindexProcess {
  readonly engine = new SagaEngine<Reindex>(reindexSaga, (tx, publish, _id, state) => this.#show(tx, publish, state));

  constructor(
    private readonly outbox: Outbox,
    private readonly generations: GenerationRepository,
    private readonly documents: DocumentRepository,
  ) {}

  /**
   * Begins a generation beside the one readers see. From the commit on every new version is written to it, too.
   * @returns its number. @throws RagmeshError `REINDEX.RUNNING`, `REQUEST.INVALID` for a collection without documents.
   */
  async begin(collection: string, wanted: Omit<Target, 'generation'>): Promise<number> {
    const tenant = currentTenant();
    if ((await this.documents.countLive(tenant, collection)) === 0) {
      const message = `The collection "${collection}" has no document that is ready: there is nothing to index anew.`;
      throw new RagmeshError('REQUEST.INVALID', message, { field: 'id' });
    }
    return this.outbox.transaction(async (tx, { publish }) => {
      await this.generations.change(tx, tenant, collection);
      const generation = await this.generations.add(tx, { tenant, collection }, wanted);
      const begun = await this.engine.start(tx, publish, reindexId(tenant, collection), dataOf(collection, generation));
      if (!begun) throw running(collection);
      return generation;
    });
  }

  /** `name@revision` of the model it is built with; null: the one this installation embeds with. */
  async modelOf({ tenant, collection, generation }: Reindex): Promise<string | null> {
    return (await this.generations.find(tenant, collection, generation))?.model ?? null;
  }

  /**
   * Shows a generation again that was kept for this, as soon as it has all readers see.
   * @throws RagmeshError `REINDEX.RUNNING`, `REINDEX.NO_SUCH_GENERATION`, `REINDEX.STATE_CONFLICT`.
   */
  async rollBack(collection: string, generation: number): Promise<void> {
    const tenant = currentTenant();
    await this.outbox.transaction(async (tx, { publish }) => {
      await this.generations.change(tx, tenant, collection);
      const row = await this.generations.find(tenant, collection, generation, tx);
      if (!row || row.state === 'dropped') throw noSuchGeneration(generation);
      if (row.state !== 'previous') throw wrongState(generation, row.state);
      const data = { ...dataOf(collection, generation), rollback: true };
      if (!(await this.engine.start(tx, publish, reindexId(tenant, collection), data))) throw running(collection);
    });
  }

  /** @returns the generation that is not built any more. @throws RagmeshError `REINDEX.NOT_RUNNING`. */
  async abort(collection: string): Promise<number> {
    const tenant = currentTenant();
    return this.outbox.transaction(async (tx, { publish }) => {
      let generation = 0;
      const aborted = await this.engine.deliver(tx, publish, reindexId(tenant, collection), ({ data }) => {
        generation = data.generation;
        return { kind: 'abort', error: { code: 'REINDEX.CANCELLED', message: 'The reindex was called off.' } };
      });
      if (aborted) return generation;
      const message = `The collection "${collection}" has no reindex that could be called off.`;
      throw new RagmeshError('REINDEX.NOT_RUNNING', message, { collection });
    });
  }

  /** Gives up a generation kept for a rollback. @throws RagmeshError as {@link rollBack}. */
  async drop(collection: string, generation: number): Promise<void> {
    const tenant = currentTenant();
    await this.outbox.transaction(async (tx) => {
      await this.generations.change(tx, tenant, collection);
      const row = await this.generations.find(tenant, collection, generation, tx);
      if (!row || row.state === 'dropped') throw noSuchGeneration(generation);
      if (row.operation.status === 'processing') throw running(collection);
      const left = await this.generations.leave(tx, { tenant, collection, generation }, 'previous', 'dropped');
      if (!left) throw wrongState(generation, row.state);
    });
  }

  /** Tells the saga what happened, unless another reindex of the collection runs by now. */
  async deliver({ tenant, collection, generation }: Reindex, input: SagaInput<Reindex>): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      await this.engine.deliver(tx, publish, reindexId(tenant, collection), ({ data }) =>
        data.generation === generation ? input : undefined,
      );
    });
  }

  /**
   * Tells the reindex that builds or shows a generation again, if one does, that a batch for it was given up. It shows why. When
   * the model is to blame it fails, as no further document would arrive; else what is missing is sent again.
   */
  async noteFailure(documentId: string, generation: number, error: SagaError): Promise<void> {
    const tenant = currentTenant();
    const document = await this.documents.find(tenant, documentId);
    if (!document) return;
    await this.outbox.transaction(async (tx, { publish }) => {
      await this.engine.deliver(tx, publish, reindexId(tenant, document.collection), ({ step, data }) => {
        if (data.generation !== generation) return undefined;
        if (error.code.startsWith('MODEL.') && step !== 'show') return { kind: 'step-failed', error };
        return data.failure?.code === error.code ? undefined : { kind: 'progress', step, data: { failure: error } };
      });
    });
  }

  /** Whether no ingestion is under way that was cut before the generation began and so is not in it. */
  async isWrittenByAll({ tenant, collection, generation }: Reindex): Promise<boolean> {
    return (await this.generations.ingestionsWithout(tenant, collection, generation)) === 0;
  }

  async #show(tx: SqlTransaction, publish: Publish, state: SagaState<Reindex>): Promise<void> {
    const { data, status } = state;
    if (status === 'completed') publishRecut(publish, data, await this.generations.show(tx, data));
    if ((status === 'failed' || status === 'aborted') && !data.rollback)
      await this.generations.leave(tx, data, 'building', 'failed');
    this.generations.note(tx, data, operationOf(state), data.quality);
  }
}

function operationOf({ status, step, data, error }: SagaState<Reindex>): GenerationOperation {
  const { documents, done, failure = null } = data;
  if (status === 'completed') return { status: 'ready', stage: '', documents, done };
  if (status === 'running') return { status: 'processing', stage: step, documents, done, error: failure };
  return { status: 'failed', stage: step, documents, done, error };
}

const dataOf = (collection: string, generation: number): Reindex => ({
  tenant: currentTenant(),
  collection,
  generation,
  rollback: false,
  documents: 0,
  done: 0,
  position: '',
  rounds: 0,
  quality: null,
});

const running = (collection: string): RagmeshError =>
  new RagmeshError('REINDEX.RUNNING', `The collection "${collection}" is being indexed anew already.`, { collection });

const noSuchGeneration = (generation: number): RagmeshError =>
  new RagmeshError('REINDEX.NO_SUCH_GENERATION', `There is no generation ${generation}.`, { generation });

const wrongState = (generation: number, state: string): RagmeshError =>
  new RagmeshError('REINDEX.STATE_CONFLICT', `Generation ${generation} is ${state}, not kept for a rollback.`, {
    generation,
    state,
  });
