import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { modelV1 } from '@ragmesh/contracts';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { GrpcClients, type GrpcClient } from '@ragmesh/grpc';
import { inContext } from '@ragmesh/observability';
import { circuitBreaker, retryWithJitter } from '@ragmesh/resilience';
import type { EmbeddingConfig } from '../embedding.config.js';
import type { PoolModel } from './inference/embedder-pool.js';

/** ONNX files by number format, as exports for ONNX Runtime name them. */
const weightsByFormat: Readonly<Record<string, string>> = {
  fp32: 'onnx/model.onnx',
  fp16: 'onnx/model_fp16.onnx',
  q8: 'onnx/model_quantized.onnx',
};

/** Verifying a model reads all of its bytes, from a cold disk too. A download goes on behind it and is joined again. */
const RESOLVE_MS = 60_000;
const SYNC_MS = 2_000;

/** A model on disk, as the registry gives it. */
export interface RegisteredModel extends PoolModel {
  readonly bytes: number;
  readonly task: string;
}

export interface ResolveOptions {
  /** Refuses to download; for names that come from a caller. */
  readonly localOnly?: boolean;
  /** Is told of every try that fails, also of those that another one follows. */
  readonly onFailure?: (error: unknown) => void;
}

/** A model in the memory of this process. */
export interface HeldModel {
  /** name@revision */
  readonly model: string;
  readonly bytes: number;
  readonly residentMs: number;
  readonly idleMs: number;
}

/** What the registry decides: what to give up and to load, and whether the model wanted fits. */
export type MemoryOrder = Pick<modelV1.SyncResidentsResponse, 'unload' | 'load' | 'fits'>;

/** Asks the model service where verified files lie, and what this process is to hold in memory. */
@Injectable()
export class ModelRegistry implements OnModuleDestroy {
  readonly #holder = randomUUID();
  // Tried again soon: without its model, embedding has nothing else to do.
  readonly #breaker = circuitBreaker('model', {
    ...{ service: 'embedding', timeoutMs: Infinity, resetMs: 1_000, isFailure: isOfTheService },
  });

  constructor(
    private readonly clients: GrpcClients,
    @Inject(CONFIG) private readonly config: EmbeddingConfig,
  ) {}

  /**
   * Waits for a model service that is not there yet until `signal` aborts.
   * @throws RagmeshError MODEL.NOT_FOUND, MODEL.CORRUPT, or the transient failure of the last try.
   */
  async resolve(
    name: string,
    signal: AbortSignal,
    { localOnly = false, onFailure = () => undefined }: ResolveOptions = {},
  ): Promise<RegisteredModel> {
    const ask = (): Promise<modelV1.Model> =>
      this.#call(
        (models) => models.resolveModel({ name, localOnly }, { signal, deadlineMs: RESOLVE_MS }),
        signal,
      ).catch((error: unknown) => {
        onFailure(error);
        throw error;
      });
    const model = await retryWithJitter(ask, { attempts: Infinity, baseMs: 50, capMs: 2_000, signal });
    const weights = weightsByFormat[model.dtype];
    if (!weights)
      throw new RagmeshError('MODEL.CORRUPT', `The number format ${model.dtype} of ${model.name} is not known.`, {
        dtype: model.dtype,
      });
    const { revision, folder, dimension, maxTokens, task } = model;
    const pooling = model.pooling === 'cls' ? 'cls' : 'mean';
    return {
      name: model.name,
      revision,
      folder,
      dimension,
      maxTokens,
      weights,
      pooling,
      task,
      bytes: Number(model.bytes),
    };
  }

  /** Reports what this process holds, and what it would load next. @throws RagmeshError when the registry is away. */
  async report(held: readonly HeldModel[], wanted?: { model: string; bytes: number }): Promise<MemoryOrder> {
    const request = {
      holder: this.#holder,
      budgetBytes: BigInt(this.config.EMBEDDING_MEMORY_BUDGET),
      residents: held.map(({ model, bytes, residentMs, idleMs }) => ({
        ...{ model, bytes: BigInt(bytes), residentMs: BigInt(residentMs), idleMs: BigInt(idleMs) },
      })),
      ...(wanted ? { wanted: { model: wanted.model, bytes: BigInt(wanted.bytes) } } : {}),
    };
    return this.#call((models) => models.syncResidents(request, { deadlineMs: SYNC_MS }));
  }

  onModuleDestroy(): void {
    this.#breaker.shutdown();
  }

  /** No request asks for a model: it is the same for all tenants. */
  #call<T>(call: (models: GrpcClient<typeof modelV1.ModelService>) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const context = { tenant: 'default', subject: 'embedding', requestId: randomUUID() };
    const models = this.clients.of(modelV1.ModelService);
    return inContext(context, () => this.#breaker.run(() => call(models), signal));
  }
}

/** What a model lacks, its hub or its disk, says nothing of the service: other models can be had from it meanwhile. */
function isOfTheService(error: unknown): boolean {
  if (!isRagmeshError(error)) return true;
  return error.retry === 'transient' && !/^(?:MODEL|STORAGE)\./.test(error.code);
}
