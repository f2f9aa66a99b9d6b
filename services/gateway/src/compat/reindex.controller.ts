import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { z } from 'zod';
import { Calls } from '../api/calls.js';
import { operationLink } from '../api/document.mapper.js';
import { operationRef } from '../api/document.schema.js';
import { idSchema } from '../api/paging.schema.js';
import { startReindex } from '../api/start-reindex.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';

const reindexRequest = z
  .object({
    collection: idSchema.default('default'),
    chunk_size: z
      .number()
      .int()
      .min(32)
      .max(2048)
      .optional()
      .describe("Tokens; without it the collection's own, else as it is"),
    overlap: z.number().int().min(0).optional().describe('Tokens; given with chunk_size, under half of it'),
  })
  .superRefine(({ chunk_size: size, overlap }, context) => {
    const message = 'Field overlap must be given with chunk_size, and be less than half of it.';
    const isPair = (size === undefined) === (overlap === undefined) && (overlap ?? 0) * 2 < (size ?? 1);
    if (!isPair) context.addIssue({ code: 'custom', path: ['overlap'], message });
  })
  .default({ collection: 'default' });
const reindexAnswer = z.object({ collection: z.string(), status: z.string(), operation: operationRef });

/** A new generation of the index for clients that know `/reindex`. */
@Controller('reindex')
export class ReindexController {
  constructor(private readonly calls: Calls) {}

  @Post()
  @HttpCode(202)
  @Describe({
    summary: 'Build a new generation of the index of a collection beside the live one',
    tag: 'Existing clients',
    body: { 'application/json': reindexRequest },
    example: { collection: 'default' },
    answers: [{ status: 202, description: 'It began; follow its operation', schema: reindexAnswer }],
    problems: ['COLLECTION.NOT_FOUND', 'REINDEX.RUNNING'],
  })
  async reindex(
    @Body(valid(reindexRequest)) { collection, chunk_size: chunkSize, overlap }: z.output<typeof reindexRequest>,
  ): Promise<z.input<typeof reindexAnswer>> {
    const { id, status } = await startReindex(this.calls, { collection, chunkSize, chunkOverlap: overlap });
    return { collection, status, operation: operationLink(id) };
  }
}
