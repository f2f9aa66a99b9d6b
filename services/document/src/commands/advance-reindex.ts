import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import type { SagaError, SagaInput } from '@ragmesh/saga';
import { GenerationIndex } from '../adapters/generation-index.js';
import { Stillness } from '../domain/stillness.js';
import type { Reindex } from '../sagas/reindex.saga.js';
import { BuildGeneration } from './build-generation.js';
import { CheckGeneration } from './check-generation.js';
import { ReindexProcess } from './reindex-process.js';

const AFTER_FAILURE_MS = 1_000;
/** What was sent and did not come within this time is sent again; rarely needed, as the bus keeps trying. */
const RESEND_AFTER_MS = 30_000;
/** A quarter of an hour: longer than the bus keeps trying. */
const MAX_ROUNDS = 30;

/** A reindex that runs, as its saga has it. */
export interface OpenReindex {
  readonly id: string;
  readonly step: string;
  readonly data: Reindex;
}

/** Looks at a reindex once and does what is to be done next. Safe to do twice, also at the same time. */
@Injectable()
export class AdvanceReindex {
  readonly #waiting = new Stillness(RESEND_AFTER_MS);

  constructor(
    private readonly process: ReindexProcess,
    private readonly building: BuildGeneration,
    private readonly checking: CheckGeneration,
    private readonly index: GenerationIndex,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * A failure that may pass is met by looking again, until the saga's deadline; another one ends the reindex.
   * @param signal ends the look early; another process then goes on from there.
   */
  async run(reindex: OpenReindex, signal: AbortSignal): Promise<void> {
    try {
      const input = await this.#inputOf(reindex, signal);
      if (input) await this.process.deliver(reindex.data, input);
    } catch (error) {
      if (signal.aborted) return;
      const { code, message, retry } = asRagmeshError(error);
      const { collection, generation } = reindex.data;
      this.logger.warn({ code, collection, generation, step: reindex.step }, 'A reindex did not get on');
      await delay(AFTER_FAILURE_MS, undefined, { signal });
      const isFinal = retry === 'permanent' && code !== 'INTERNAL.UNEXPECTED' && reindex.step !== 'show';
      if (isFinal) await this.process.deliver(reindex.data, { kind: 'step-failed', error: { code, message } });
    }
  }

  /** Tells which reindexes run; of others nothing is kept. */
  noteRunning(ids: readonly string[]): void {
    this.#waiting.keepOnly(ids);
  }

  async #inputOf({ id, step, data }: OpenReindex, signal: AbortSignal): Promise<SagaInput<Reindex> | undefined> {
    if (step === 'open') {
      await this.index.open(data, await this.process.modelOf(data), signal);
      return { kind: 'step-done', step };
    }
    if (step === 'check') return this.#check(data, signal);
    if (step === 'show' && (await this.index.show(data, signal)) === 0) return { kind: 'step-done', step };
    const progress = await this.building.advance(data, step, signal);
    if (progress === 'complete') return step === 'build' ? { kind: 'step-done', step } : undefined;
    if (progress !== 'waiting') this.#waiting.forget(id);
    else if (this.#waiting.isStill(id, JSON.stringify({ ...data, failure: undefined })))
      return this.#sendAgain(data, step);
    return undefined;
  }

  async #sendAgain(data: Reindex, step: string): Promise<SagaInput<Reindex> | undefined> {
    if (data.rounds >= MAX_ROUNDS) return { kind: 'step-failed', error: incomplete(data) };
    await this.building.restart(data, step);
    return undefined;
  }

  async #check(data: Reindex, signal: AbortSignal): Promise<SagaInput<Reindex>> {
    if (data.rollback) return { kind: 'step-done', step: 'check' };
    const { quality, shortfall } = await this.checking.run(data, signal);
    if (shortfall === undefined) return { kind: 'step-done', step: 'check', data: { quality } };
    await this.process.deliver(data, { kind: 'progress', step: 'check', data: { quality } });
    return { kind: 'step-failed', error: { code: 'REINDEX.QUALITY_TOO_LOW', message: shortfall } };
  }
}

const incomplete = ({ documents, done, failure }: Reindex): SagaError => ({
  code: 'REINDEX.INCOMPLETE',
  message:
    `${documents - done} documents did not arrive in the generation, however often they were sent; readers keep what they see.` +
    (failure ? ` Last given up for: ${failure.code}: ${failure.message}` : ''),
});
