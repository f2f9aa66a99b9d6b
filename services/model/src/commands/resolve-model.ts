import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { currentContext, inContext } from '@ragmesh/observability';
import { MODEL_TENANT, ModelRecord } from '../adapters/model-record.js';
import { ModelResolver, type FindOptions, type ResolvedModel } from '../adapters/model-source.js';
import type { ModelConfig } from '../model.config.js';

/** Finds a model's verified files and keeps that it was asked for. */
@Injectable()
export class ResolveModel {
  readonly #running = new Map<string, Promise<ResolvedModel>>();
  /** What a name without a fixed revision stands for: decided once, so that vectors of a process go together. */
  readonly #decided = new Map<string, string>();

  constructor(
    private readonly resolver: ModelResolver,
    private readonly record: ModelRecord,
    @Inject(CONFIG) private readonly config: ModelConfig,
  ) {}

  /**
   * The files are checked again when they were touched; the network is asked once per name and process.
   * @param reference `name` or `name@revision`; empty: the model this installation embeds with.
   * @throws RagmeshError MODEL.NOT_FOUND, MODEL.CORRUPT and what a download fails with; nothing of it is remembered.
   */
  async run(reference: string, options: FindOptions = {}): Promise<ResolvedModel> {
    const name = reference || this.config.EMBEDDING_MODEL;
    return this.#shared(this.#decided.get(name) ?? name, name, options);
  }

  /** The same, but asks anew what the name stands for: a branch may have moved on. */
  async renew(reference: string): Promise<ResolvedModel> {
    return this.#shared(reference, reference, {});
  }

  /** Equal requests share one resolution and so one download. */
  #shared(reference: string, name: string, options: FindOptions): Promise<ResolvedModel> {
    const key = `${reference} ${options.localOnly ?? false}`;
    const running =
      this.#running.get(key) ?? this.#resolve(reference, name, options).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  async #resolve(reference: string, name: string, options: FindOptions): Promise<ResolvedModel> {
    const model = await this.resolver.resolve(reference, options);
    const requestId = currentContext()?.requestId || randomUUID();
    await inContext({ tenant: MODEL_TENANT, subject: 'model', requestId }, () => this.record.note(model));
    if (name.includes('/')) this.#decided.set(name, `${model.name}@${model.revision}`);
    return model;
  }
}
