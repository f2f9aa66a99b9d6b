import { join, resolve } from 'node:path';
import { Module } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import type { Logger } from '@ragmesh/observability';
import { HubClient } from './adapters/hub/hub-client.js';
import { HubSource } from './adapters/hub/hub-source.js';
import { ModelRecord } from './adapters/model-record.js';
import { FolderSource, ModelResolver, bundledSource } from './adapters/model-source.js';
import { ResidentRecord } from './adapters/resident-record.js';
import { ModelGrpcController } from './api/model.grpc-controller.js';
import { ManageModels } from './commands/manage-models.js';
import { ResolveModel } from './commands/resolve-model.js';
import { SyncResidents } from './commands/sync-residents.js';
import { AllowedHosts } from './domain/allowed-hosts.js';
import type { ModelConfig } from './model.config.js';

const hubClient = {
  provide: HubClient,
  inject: [CONFIG],
  useFactory: (config: ModelConfig) =>
    new HubClient({
      endpoint: config.HF_ENDPOINT,
      ...(config.HF_TOKEN ? { token: config.HF_TOKEN } : {}),
      allowedHosts: new AllowedHosts(config.HUB_ALLOWED_HOSTS.split(',')),
      silenceMs: config.HF_HUB_DOWNLOAD_TIMEOUT * 1000,
    }),
};

const hubSource = {
  provide: HubSource,
  inject: [CONFIG, LOGGER, HubClient],
  useFactory: (config: ModelConfig, logger: Logger, client: HubClient) => {
    const folder = resolve(config.MODEL_CACHE_DIR ?? join(config.RAGMESH_DATA_DIR, 'models'));
    return new HubSource({ client, folder, dtype: config.MODEL_DTYPE, offline: config.HF_HUB_OFFLINE, logger });
  },
};

/** The installation's own models come first, so that one of the same name replaces a bundled or downloaded one. */
const modelResolver = {
  provide: ModelResolver,
  inject: [CONFIG, HubSource],
  useFactory: ({ RAGMESH_MODELS_DIR: own }: ModelConfig, hub: HubSource) =>
    new ModelResolver([...(own ? [new FolderSource(resolve(own))] : []), bundledSource(), hub]),
};

/** Composition root: sync in, decide, out. */
@Module({
  controllers: [ModelGrpcController],
  providers: [
    ResolveModel,
    ManageModels,
    SyncResidents,
    ModelRecord,
    ResidentRecord,
    hubClient,
    hubSource,
    modelResolver,
  ],
})
export class ModelModule {}
