import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { Outbox } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { GenerationIndex } from '../adapters/generation-index.js';
import type { DocumentConfig } from '../document.config.js';
import { reindexId, type Reindex } from '../sagas/reindex.saga.js';
import { CutDocument, type CutVersion } from './cut-document.js';
import { ReindexProcess } from './reindex-process.js';

/** Documents read and sent in one transaction. */
const PAGE = 8;

/** A version of a document that the generation lacks. */
interface Missing {
  readonly documentId: string;
  readonly version: bigint;
}

/** `waiting`: what was sent is on its way; `held`: all came, and uploads cut before the reindex are not through yet. */
export type BuildProgress = 'complete' | 'working' | 'waiting' | 'held';

/**
 * Sends what a generation lacks, from stored text, as events that take the ordinary way to it. What it lacks is asked
 * where its points are, so nothing is sent twice after a crash but what was on its way, and nothing is forgotten.
 */
@Injectable()
export class BuildGeneration {
  constructor(
    private readonly outbox: Outbox,
    private readonly index: GenerationIndex,
    private readonly cutting: CutDocument,
    private readonly process: ReindexProcess,
    @Inject(CONFIG) private readonly config: DocumentConfig,
  ) {}

  /**
   * As far as there is room on the way: asking takes the longer the larger the collection is, so each answer is made the most of.
   * @param step the saga's running step.
   */
  async advance(data: Reindex, step: string, signal: AbortSignal): Promise<BuildProgress> {
    const room = this.config.REINDEX_IN_FLIGHT;
    const state = await this.index.state(data, data.position, room, signal);
    const [documents, done] = [Number(state.documents), Number(state.complete)];
    if (documents !== data.documents || done !== data.done)
      await this.#note(data, step, { documents, done, rounds: 0 });
    // So few are on their way at a time that an upload waits for few of them.
    const free = room - Number(state.behind);
    if (free <= 0) return 'waiting';
    if (state.missing.length > 0) {
      await this.#send(data, step, state.missing.slice(0, free), signal);
      return 'working';
    }
    if (state.behind > 0n) return 'waiting';
    return (await this.process.isWrittenByAll(data)) ? 'complete' : 'held';
  }

  /** Begins the walk anew: what is missing although it was sent is sent again. */
  async restart(data: Reindex, step: string): Promise<void> {
    await this.#note(data, step, { position: '', rounds: data.rounds + 1 });
  }

  /** Page by page, until somebody else takes the walk further. */
  async #send(data: Reindex, step: string, missing: readonly Missing[], signal: AbortSignal): Promise<void> {
    let { position } = data;
    for (let first = 0; first < missing.length && !signal.aborted; first += PAGE) {
      const page = missing.slice(first, first + PAGE);
      if (!(await this.#sendPage({ ...data, position }, step, page))) return;
      position = page.at(-1)!.documentId;
    }
  }

  /** @returns false when another process sent this page, or the reindex was called off. */
  async #sendPage(data: Reindex, step: string, missing: readonly Missing[]): Promise<boolean> {
    const cuts: CutVersion[] = [];
    for (const { documentId, version } of missing) {
      const one = await this.cutting.cut(data, documentId, Number(version));
      if (one) cuts.push(one);
    }
    return this.outbox.transaction(async (tx, { publish }) => {
      const position = missing.at(-1)!.documentId;
      const moved = await this.#deliver(tx, publish, data, step, { position });
      if (moved) for (const one of cuts) await this.cutting.send(tx, publish, data, one);
      return moved;
    });
  }

  async #note(data: Reindex, step: string, change: Partial<Reindex>): Promise<void> {
    await this.outbox.transaction(async (tx, { publish }) => {
      await this.#deliver(tx, publish, data, step, change);
    });
  }

  /** Only while nobody else took the walk further. */
  #deliver(
    tx: SqlTransaction,
    publish: Parameters<ReindexProcess['engine']['deliver']>[1],
    { tenant, collection, generation, position }: Reindex,
    step: string,
    change: Partial<Reindex>,
  ): Promise<boolean> {
    return this.process.engine.deliver(tx, publish, reindexId(tenant, collection), ({ data }) =>
      data.generation === generation && data.position === position
        ? { kind: 'progress', step, data: change }
        : undefined,
    );
  }
}
