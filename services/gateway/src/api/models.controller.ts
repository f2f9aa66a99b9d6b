import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import type { modelV1 } from '@ragmesh/contracts';
import type { ErrorCode } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { modelRequest, pinRequest, registeredModel, registeredModels } from './models.schema.js';

type Registered = z.input<typeof registeredModel>;

const modelBody = (model: modelV1.Model): Registered => ({
  name: model.name,
  revision: model.revision,
  task: model.task,
  state: model.state,
  pinned: model.pinned,
  progress: model.progress,
  source: model.source,
  dtype: model.dtype,
  dimension: model.dimension,
  max_tokens: model.maxTokens,
  bytes: Number(model.bytes),
  holders: model.holders,
  memory_bytes: Number(model.memoryBytes),
});

const problems: readonly ErrorCode[] = [
  'MODEL.NOT_FOUND',
  'MODEL.CORRUPT',
  'MODEL.UNSUPPORTED',
  'MODEL.OFFLINE',
  'MODEL.ACCESS_DENIED',
  'MODEL.HOST_NOT_ALLOWED',
  'MODEL.DOWNLOAD_FAILED',
  'MODEL.OVER_BUDGET',
  'MODEL.PINNED',
];
const body = { 'application/json': modelRequest };
const example = { model: 'all-MiniLM-L6-v2' };

/** The registry of models. Names hold slashes, so they stand in bodies and not in paths. */
@Controller('v1/admin/models')
export class RegisteredModelsController {
  constructor(private readonly calls: Calls) {}

  @Get()
  @Describe({
    summary: 'List the models of the registry',
    tag: 'Administration',
    answers: [{ status: 200, description: 'The models', schema: registeredModels }],
    problems: [],
  })
  async list(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.input<typeof registeredModels>> {
    const { models } = await this.calls.models.listModels({}, this.calls.unary(reply));
    return { data: models.map(modelBody) };
  }

  @Post('load')
  @HttpCode(200)
  @Describe({
    summary: 'Have every process that runs models take one into memory, downloaded first where it has to be',
    tag: 'Administration',
    body,
    example,
    answers: [{ status: 200, description: 'The model', schema: registeredModel }],
    problems,
  })
  async load(@Body(valid(modelRequest)) { model }: z.output<typeof modelRequest>): Promise<Registered> {
    return modelBody(await this.calls.models.loadModel({ name: model }, this.calls.write()));
  }

  @Post('unload')
  @HttpCode(200)
  @Describe({
    summary: 'Have every process give the memory of a model back; its next use loads it again',
    tag: 'Administration',
    body,
    example,
    answers: [{ status: 200, description: 'The model', schema: registeredModel }],
    problems,
  })
  async unload(@Body(valid(modelRequest)) { model }: z.output<typeof modelRequest>): Promise<Registered> {
    return modelBody(await this.calls.models.unloadModel({ name: model }, this.calls.write()));
  }

  @Post('pin')
  @HttpCode(200)
  @Describe({
    summary: 'Keep a model in memory whatever else needs room, or no longer',
    tag: 'Administration',
    body: { 'application/json': pinRequest },
    example: { ...example, pinned: true },
    answers: [{ status: 200, description: 'The model', schema: registeredModel }],
    problems,
  })
  async pin(@Body(valid(pinRequest)) { model, pinned }: z.output<typeof pinRequest>): Promise<Registered> {
    return modelBody(await this.calls.models.pinModel({ name: model, pinned }, this.calls.write()));
  }
}
