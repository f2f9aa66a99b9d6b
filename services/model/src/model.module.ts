import { resolve } from 'node:path';
import { Module } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { ModelRecord } from './adapters/model-record.js';
import { FolderSource, ModelResolver, bundledSource } from './adapters/model-source.js';
import { ModelGrpcController } from './api/model.grpc-controller.js';
import { ResolveModel } from './commands/resolve-model.js';
import type { ModelConfig } from './model.config.js';

/** The installation's own models come first, so that one of the same name replaces a bundled one. */
const modelResolver = {
  provide: ModelResolver,
  inject: [CONFIG],
  useFactory: ({ RAGMESH_MODELS_DIR: own }: ModelConfig) =>
    new ModelResolver([...(own ? [new FolderSource(resolve(own))] : []), bundledSource()]),
};

/** Composition root: sync in, decide, out. */
@Module({
  controllers: [ModelGrpcController],
  providers: [ResolveModel, ModelRecord, modelResolver],
})
export class ModelModule {}
