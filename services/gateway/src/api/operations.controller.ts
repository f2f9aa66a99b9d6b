import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Param, Res } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { EventStream } from '../http/event-stream.js';
import { noBytes } from '../http/no-bytes.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { operationBody } from './document.mapper.js';
import { operationSchema } from './document.schema.js';
import { operationIdSchema } from './paging.schema.js';

const POLL_MS = 200;
type OperationBody = z.input<typeof operationSchema>;
const id = valid(operationIdSchema);
const path = z.object({ id: operationIdSchema });

/** Progress of what was promised with a 202. */
@Controller('v1/operations')
export class OperationsController {
  constructor(
    private readonly calls: Calls,
    private readonly problems: ProblemFilter,
  ) {}

  @Get(':id')
  @Describe({
    summary: 'Get an operation',
    tag: 'Operations',
    path,
    answers: [{ status: 200, description: 'The operation', schema: operationSchema }],
    problems: ['OPERATION.NOT_FOUND'],
  })
  async get(
    @Param('id', id) operationId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OperationBody> {
    return this.read(operationId, reply);
  }

  @Get(':id/events')
  @Describe({
    summary: 'Follow an operation',
    tag: 'Operations',
    path,
    answers: [
      {
        status: 200,
        description:
          'The events `progress` at every change, then `done`; `error` when following fails, and after the time a stream may take: then follow it again',
        type: 'text/event-stream',
      },
    ],
    problems: ['OPERATION.NOT_FOUND'],
  })
  async events(@Param('id', id) operationId: string, @Res() reply: FastifyReply): Promise<void> {
    if (reply.request.method === 'HEAD') return this.headOfEvents(operationId, reply);
    const { signal } = this.calls.answer(reply);
    let operation = await this.read(operationId, reply);
    const events = EventStream.open(reply);
    let shown = '';
    try {
      while (!operation.done && isFollowed(reply)) {
        const state = JSON.stringify(operation);
        if (state !== shown) await events.send('progress', operation);
        shown = state;
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
        if (isFollowed(reply)) operation = await this.read(operationId, reply);
      }
      await events.send('done', operation);
    } catch (error) {
      await events.send('error', this.problems.describe(error, reply.request));
    } finally {
      events.end();
    }
  }

  /** Fastify answers HEAD wherever it answers GET; whoever asks so follows nothing, and takes no stream's place. */
  private async headOfEvents(operationId: string, reply: FastifyReply): Promise<void> {
    await this.read(operationId, reply);
    await reply.headers(EventStream.headers).send(noBytes());
  }

  private async read(operationId: string, reply: FastifyReply): Promise<OperationBody> {
    return operationBody(await this.calls.documents.getOperation({ id: operationId }, this.calls.unary(reply)));
  }
}

/**
 * Whether somebody still takes what comes: not one who left, nor one the stopping server took leave of.
 * @throws RagmeshError REQUEST.TIMEOUT when the time of the stream is over.
 */
function isFollowed(reply: FastifyReply): boolean {
  const { clientLeft, endsAt = Infinity } = scopeOf(reply);
  if (clientLeft.aborted || reply.raw.writableEnded) return false;
  if (performance.now() < endsAt) return true;
  throw new RagmeshError(
    'REQUEST.TIMEOUT',
    'The operation takes longer than it can be followed at once; follow it again.',
  );
}
