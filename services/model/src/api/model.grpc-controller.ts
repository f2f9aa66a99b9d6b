import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { CONFIG } from '@ragmesh/bootstrap';
import type { modelV1 } from '@ragmesh/contracts';
import { ModelResolver } from '../adapters/model-source.js';
import { ResolveModel } from '../commands/resolve-model.js';
import type { ModelConfig } from '../model.config.js';

/** The registry of models. */
@Controller()
export class ModelGrpcController {
  constructor(
    private readonly resolveModel: ResolveModel,
    private readonly resolver: ModelResolver,
    @Inject(CONFIG) private readonly config: ModelConfig,
  ) {}

  /** A request without a name asks for the model that this installation embeds with. */
  @GrpcMethod('ModelService', 'ResolveModel')
  async resolve({ name }: modelV1.ResolveModelRequest): Promise<MessageInitShape<typeof modelV1.ModelSchema>> {
    const { bytes, ...model } = await this.resolveModel.run(name || this.config.EMBEDDING_MODEL);
    return { ...model, bytes: BigInt(bytes) };
  }

  /** What can be resolved. Folder and size are known of a resolved model only. */
  @GrpcMethod('ModelService', 'ListModels')
  async list(): Promise<MessageInitShape<typeof modelV1.ListModelsResponseSchema>> {
    return { models: await this.resolver.list() };
  }
}
