import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { modelV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { ManageModels, type ModelView } from '../commands/manage-models.js';
import { ResolveModel } from '../commands/resolve-model.js';
import { SyncResidents } from '../commands/sync-residents.js';

type ModelMessage = MessageInitShape<typeof modelV1.ModelSchema>;

/** The registry of models. */
@Controller()
export class ModelGrpcController {
  constructor(
    private readonly resolveModel: ResolveModel,
    private readonly models: ManageModels,
    private readonly residents: SyncResidents,
  ) {}

  /** A request without a name asks for the model that this installation embeds with. */
  @GrpcMethod('ModelService', 'ResolveModel')
  async resolve({ name, localOnly }: modelV1.ResolveModelRequest): Promise<ModelMessage> {
    const { bytes, ...model } = await this.resolveModel.run(name, { localOnly });
    return { ...model, bytes: BigInt(bytes), state: 'known', progress: 1 };
  }

  @GrpcMethod('ModelService', 'ListModels')
  async list(): Promise<MessageInitShape<typeof modelV1.ListModelsResponseSchema>> {
    return { models: (await this.models.list()).map(toMessage) };
  }

  /** Answers once the files are here; the processes follow within seconds. */
  @GrpcMethod('ModelService', 'LoadModel')
  async load({ name }: modelV1.LoadModelRequest): Promise<ModelMessage> {
    return toMessage(await this.models.load(named(name)));
  }

  @GrpcMethod('ModelService', 'UnloadModel')
  async unload({ name }: modelV1.UnloadModelRequest): Promise<ModelMessage> {
    return toMessage(await this.models.unload(named(name)));
  }

  @GrpcMethod('ModelService', 'PinModel')
  async pin({ name, pinned }: modelV1.PinModelRequest): Promise<ModelMessage> {
    return toMessage(await this.models.pin(named(name), pinned));
  }

  @GrpcMethod('ModelService', 'SyncResidents')
  async sync({
    holder,
    budgetBytes,
    residents,
    wanted,
  }: modelV1.SyncResidentsRequest): Promise<MessageInitShape<typeof modelV1.SyncResidentsResponseSchema>> {
    const report = { holder, budgetBytes: Number(budgetBytes), residents: residents.map(fromMessage) };
    const { unload, load, fits } = await this.residents.run({ ...report, wanted: wanted && fromMessage(wanted) });
    return { unload: [...unload], load, fits };
  }
}

function named(name: string): string {
  if (name) return name;
  throw new RagmeshError('REQUEST.INVALID', 'name must name a model.', { field: 'name' });
}

function toMessage({ bytes, memoryBytes, ...view }: ModelView): ModelMessage {
  return { ...view, bytes: BigInt(bytes), memoryBytes: BigInt(memoryBytes) };
}

function fromMessage({ model, bytes, residentMs, idleMs }: modelV1.Resident) {
  return { model, bytes: Number(bytes), residentMs: Number(residentMs), idleMs: Number(idleMs) };
}
