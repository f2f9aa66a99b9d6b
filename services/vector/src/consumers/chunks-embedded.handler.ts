import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import {
  HandlesEvent,
  ack,
  skip,
  type Delivery,
  type HandlerResult,
  type Message,
  type Publish,
} from '@ragmesh/messaging';
import { histogram } from '@ragmesh/observability';
import type { SqlTransaction } from '@ragmesh/postgres';
import {
  DocumentIndexRepository,
  isDead,
  type MeasuredState,
  type VectorKind,
} from '../adapters/document-index.repository.js';
import { GenerationProgress } from '../adapters/generation-progress.repository.js';
import { GenerationRepository } from '../adapters/generation.repository.js';
import { PointRepository, type DocumentPoints, type PointBatch } from '../adapters/point.repository.js';
import { VectorStore, type StoreChanges } from '../adapters/vector-store.js';
import { isSameModel } from '../domain/model-name.js';
import { inGeneration, readEmbeddedBatch, type EmbeddedBatch } from './embedded-batch.js';

/** Takes a batch into the index, staged: readers see it once its version is shown. */
@Controller()
export class IndexChunks {
  constructor(
    private readonly documents: DocumentIndexRepository,
    private readonly points: PointRepository,
    private readonly store: VectorStore,
    private readonly generations: GenerationRepository,
    private readonly progress: GenerationProgress,
  ) {}

  /** Redelivery is safe: points are keyed by chunk, and batches of dead or superseded versions are passed over. */
  @HandlesEvent(catalogue.chunksEmbedded, { id: 'vector.index-chunks', deadlineSeconds: 60 })
  async handle(
    @Payload() { payload, tenant }: Message<eventsV1.ChunksEmbedded>,
    @Ctx() delivery: Delivery,
  ): Promise<HandlerResult> {
    const stopTimer = histogram('ragmesh_stage_duration_seconds').startTimer({ stage: 'index' });
    const batch = readEmbeddedBatch(tenant, payload);
    const result = await this.store.following(batch, (changes) =>
      delivery.commit(async (tx, publish) => {
        const state = await this.documents.lockMeasured(tx, batch, batch.collection);
        if (isDead(batch.version, state)) return skip('the version was deleted');
        if (batch.version < (state.visibleVersion ?? 0)) return skip('superseded by a newer version');
        // The shown version is complete: the same batch again, by a retry of the document, has nothing to add.
        const generation = payload.generation ?? state.generation;
        const isLive = generation === state.generation;
        if (!isLive && !(await this.generations.hold(tx, batch, generation))) return skip('the generation was removed');
        // Readers do not see it, so nobody fails for its sake: it stays incomplete, and is not shown again.
        if (!isLive && !(await this.isOfItsModel(tx, batch, generation)))
          return skip('the generation is of another model');
        if (!isLive || batch.version !== state.visibleVersion)
          await this.take(tx, inGeneration(batch, generation), state, changes);
        if (payload.generation !== undefined) this.progress.note(tx, { ...batch, generation }, payload);
        return announce(publish, payload);
      }),
    );
    stopTimer();
    return result;
  }

  private async take(
    tx: SqlTransaction,
    batch: PointBatch,
    state: MeasuredState,
    changes: StoreChanges,
  ): Promise<void> {
    const { tenant, documentId, version, collection } = batch;
    if (
      collection !== state.collection &&
      !(await this.isEmpty(tx, { tenant, documentId, collection: state.collection }))
    ) {
      throw new RagmeshError('EVENT.INVALID', 'The document is indexed in another collection.', {
        documentId,
        version,
      });
    }
    if (state.tombstoned || collection !== state.collection) this.documents.revive(tx, batch, collection);
    // Only where it does not fit, or decides, is it looked at again: of before the lock it may have been of points that are gone.
    const isKnown = batch.generation === state.generation && fits(batch, state.held);
    if (!isKnown) assertFits(batch, await this.points.kind(tx, batch));
    this.points.upsert(tx, batch);
    await changes.stage(tx, { ...batch, access: state.access });
  }

  private async isOfItsModel(tx: SqlTransaction, batch: EmbeddedBatch, generation: number): Promise<boolean> {
    const named = await this.generations.model(batch, generation, tx);
    if (named !== null && named !== batch.model) return false;
    return fits(batch, await this.points.kind(tx, { ...batch, generation }));
  }

  private async isEmpty(tx: SqlTransaction, document: DocumentPoints): Promise<boolean> {
    return (await this.points.count(tx, document, 'all')) === 0;
  }
}

function fits({ dimension, model }: VectorKind, held: VectorKind | null): boolean {
  return held !== null && dimension === held.dimension && isSameModel(model, held.model);
}

/** @throws RagmeshError `VECTOR.DIMENSION_MISMATCH`: numbers of two models say nothing about each other, though as many. */
function assertFits({ documentId, version, dimension, model }: PointBatch, held: VectorKind): void {
  if (fits({ dimension, model }, held)) return;
  const [message, expected, actual] =
    dimension === held.dimension
      ? [`The collection is indexed with ${held.model}, this batch is of ${model}: reindex it.`, held.model, model]
      : [
          `The collection holds vectors of ${held.dimension} numbers, this batch has ${dimension}.`,
          held.dimension,
          dimension,
        ];
  throw new RagmeshError('VECTOR.DIMENSION_MISMATCH', message, { documentId, version, expected, actual });
}

function announce(
  publish: Publish,
  { documentId, version, collection, batch, batches, chunks, generation }: eventsV1.ChunksEmbedded,
): HandlerResult {
  publish(catalogue.vectorIndexed, documentId, {
    documentId,
    version,
    collection,
    batch,
    batches,
    points: chunks.length,
    ...(generation === undefined ? {} : { generation }),
  });
  return ack();
}
