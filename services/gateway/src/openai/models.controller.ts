import { Controller, Get, Param, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { printable } from '../api/paging.schema.js';
import { valid, validate } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { openAiErrors, openAiRoute } from './openai-errors.js';
import { ServedModels, type ServedModel } from './served-models.js';

const modelSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.literal('ragmesh'),
});
const modelList = z.object({ object: z.literal('list'), data: z.array(modelSchema) });
type Model = z.input<typeof modelSchema>;

const modelBody = ({ id, created }: ServedModel): Model => ({ id, object: 'model', created, owned_by: 'ragmesh' });
const modelId = z.string().min(1).max(300).regex(printable, 'it may hold no control character');

/** What can be asked by the name of a model, as OpenAI lists it. */
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly models: ServedModels) {}

  @Get()
  @RouteConfig(openAiRoute)
  @Describe({
    summary: 'List models: `ragmesh`, `ragmesh/<collection>`, language models, and the embedding model',
    tag: 'OpenAI',
    answers: [{ status: 200, description: 'The models', schema: modelList }],
    problems: [],
    errors: openAiErrors,
  })
  async list(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.input<typeof modelList>> {
    return { object: 'list', data: (await this.models.list(reply)).map(modelBody) };
  }

  @Get(':id')
  @RouteConfig(openAiRoute)
  @Describe({
    summary: 'Get a model; a slash in its name may be written %2F',
    tag: 'OpenAI',
    answers: [{ status: 200, description: 'The model', schema: modelSchema }],
    problems: ['MODEL.NOT_FOUND'],
    errors: openAiErrors,
  })
  async get(@Param('id', valid(modelId)) id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<Model> {
    return modelBody(await this.models.find(id, reply));
  }

  /** OpenAI's client for Python sends the slash of a name as it is. */
  @Get(':owner/:name')
  @RouteConfig(openAiRoute)
  @Describe({
    summary: 'Get a model whose name has a slash: `ragmesh/<collection>`',
    tag: 'OpenAI',
    answers: [{ status: 200, description: 'The model', schema: modelSchema }],
    problems: ['MODEL.NOT_FOUND'],
    errors: openAiErrors,
  })
  async getOwned(
    @Param('owner') owner: string,
    @Param('name') name: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Model> {
    return modelBody(await this.models.find(validate(modelId, `${owner}/${name}`, 'name'), reply));
  }
}
