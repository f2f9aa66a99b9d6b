import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { HubSource } from '../adapters/hub/hub-source.js';
import { ModelRecord, type KeptModel } from '../adapters/model-record.js';
import { ModelResolver, type ResolvedModel } from '../adapters/model-source.js';
import { ResolveModel } from './resolve-model.js';

/** A model as operators see it. */
export interface ModelView extends ResolvedModel {
  readonly state: 'known' | 'downloading' | 'loaded';
  readonly pinned: boolean;
  /** Share of its bytes that are here. */
  readonly progress: number;
  readonly holders: number;
  readonly memoryBytes: number;
}

/** What operators do with models. The processes that run models carry it out when they next report. */
@Injectable()
export class ManageModels {
  constructor(
    private readonly resolveModel: ResolveModel,
    private readonly resolver: ModelResolver,
    private readonly hub: HubSource,
    private readonly record: ModelRecord,
  ) {}

  async load(reference: string): Promise<ModelView> {
    const model = await this.resolveModel.renew(reference);
    await this.record.wish('load', model);
    return this.view(model);
  }

  /** @throws RagmeshError MODEL.PINNED, MODEL.NOT_FOUND. */
  async unload(reference: string): Promise<ModelView> {
    const model = await this.resolveModel.run(reference, { localOnly: true });
    const view = await this.view(model);
    const name = `${model.name}@${model.revision}`;
    if (view.pinned) throw new RagmeshError('MODEL.PINNED', `The model ${name} is pinned.`, { model: name });
    await this.record.wish('unload', model);
    return view;
  }

  async pin(reference: string, pinned: boolean): Promise<ModelView> {
    const model = await this.resolveModel.run(reference, { localOnly: true });
    await this.record.wish(pinned ? 'pin' : 'unpin', model);
    return this.view(model);
  }

  /** What can be resolved without a download, and what is on its way. */
  async list(): Promise<ModelView[]> {
    const [models, kept] = await Promise.all([this.resolver.list(), this.record.kept()]);
    const here = models.map((model) => viewOf(model, kept.get(`${model.name}@${model.revision}`)));
    const coming = this.hub.downloads.map(({ name, revision, bytes, totalBytes }): ModelView => {
      const unknown = {
        folder: '',
        dimension: 0,
        maxTokens: 0,
        dtype: 'q8',
        task: 'embedding',
        pooling: 'mean',
      } as const;
      const view = viewOf({ ...unknown, name, revision, bytes: totalBytes, digest: '' }, undefined);
      return { ...view, state: 'downloading', progress: bytes / totalBytes };
    });
    return [...here, ...coming];
  }

  private async view(model: ResolvedModel): Promise<ModelView> {
    return viewOf(model, (await this.record.kept()).get(`${model.name}@${model.revision}`));
  }
}

function viewOf(model: ResolvedModel, kept: KeptModel | undefined): ModelView {
  const { pinned = false, holders = 0, memoryBytes = 0 } = kept ?? {};
  return { ...model, state: holders > 0 ? 'loaded' : 'known', pinned, progress: 1, holders, memoryBytes };
}
