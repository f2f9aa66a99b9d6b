import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { modelV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { GrpcClients } from '@ragmesh/grpc';
import { inContext } from '@ragmesh/observability';
import { circuitBreaker, retryWithJitter } from '@ragmesh/resilience';
import type { PoolModel } from './inference/embedder-pool.js';

/** ONNX files by number format, as exports for ONNX Runtime name them. */
const weightsByFormat: Readonly<Record<string, string>> = {
  fp32: 'onnx/model.onnx',
  fp16: 'onnx/model_fp16.onnx',
  q8: 'onnx/model_quantized.onnx',
};

/** Verifying a model reads all of its bytes, from a cold disk too. */
const deadlineMs = 60_000;

/** Asks the model service where a model's verified files lie. */
@Injectable()
export class ModelResolver implements OnModuleDestroy {
  // Tried again soon: without its model, embedding has nothing else to do.
  readonly #breaker = circuitBreaker('model', { service: 'embedding', timeoutMs: Infinity, resetMs: 1_000 });

  constructor(private readonly clients: GrpcClients) {}

  /**
   * Waits for a model service that is not there yet until `signal` aborts.
   * @throws RagmeshError MODEL.NOT_FOUND, MODEL.CORRUPT, or the transient failure of the last try.
   */
  async resolve(name: string, signal: AbortSignal): Promise<PoolModel> {
    const models = this.clients.of(modelV1.ModelService);
    // No request asks for a model: it is the same for all tenants.
    const context = { tenant: 'default', subject: 'embedding', requestId: randomUUID() };
    const ask = (): Promise<modelV1.Model> =>
      inContext(context, () => this.#breaker.run(() => models.resolveModel({ name }, { signal, deadlineMs }), signal));
    const model = await retryWithJitter(ask, { attempts: Infinity, baseMs: 50, capMs: 2_000, signal });
    const weights = weightsByFormat[model.dtype];
    if (!weights)
      throw new RagmeshError('MODEL.CORRUPT', `The number format ${model.dtype} of ${model.name} is not known.`, {
        dtype: model.dtype,
      });
    const { revision, folder, dimension, maxTokens } = model;
    return { name: model.name, revision, folder, dimension, maxTokens, weights };
  }

  onModuleDestroy(): void {
    this.#breaker.shutdown();
  }
}
