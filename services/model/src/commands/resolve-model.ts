import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { currentContext, inContext } from '@ragmesh/observability';
import { ModelFolder } from '../adapters/model-folder.js';
import { ModelRecord } from '../adapters/model-record.js';
import { ModelResolver, type ResolvedModel } from '../adapters/model-source.js';

/** A model whose files were verified, with their size in bytes. */
export type VerifiedModel = ResolvedModel & { readonly bytes: number };

/** Models belong to the installation, not to whoever asks first. */
const tenant = 'default';

/** Finds a model's verified files and keeps that it was asked for; both once in the life of the process. */
@Injectable()
export class ResolveModel {
  readonly #models = new Map<string, Promise<VerifiedModel>>();

  constructor(
    private readonly resolver: ModelResolver,
    private readonly record: ModelRecord,
  ) {}

  /**
   * @param reference `name` or `name@revision`.
   * @throws RagmeshError MODEL.NOT_FOUND or MODEL.CORRUPT; neither is remembered, so repaired files are seen.
   */
  async run(reference: string): Promise<VerifiedModel> {
    const known = this.#models.get(reference);
    if (known) return known;
    const resolving = this.#resolve(reference);
    this.#models.set(reference, resolving);
    resolving.catch(() => this.#models.delete(reference));
    return resolving;
  }

  async #resolve(reference: string): Promise<VerifiedModel> {
    const model = await this.resolver.resolve(reference);
    const { manifest } = (await ModelFolder.open(model.folder))!;
    const verified = { ...model, bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) };
    const requestId = currentContext()?.requestId || randomUUID();
    await inContext({ tenant, subject: 'model', requestId }, () => this.record.note(tenant, verified));
    return verified;
  }
}
