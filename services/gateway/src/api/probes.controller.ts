import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import { PROCESS_HEALTH, type ProcessHealth } from '@ragmesh/bootstrap';
import { renderMetrics } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Describe } from '../openapi/describe.js';

const PING_TIMEOUT_MS = 2_000;
const health = z.object({ status: z.enum(['ok', 'unavailable']) });

const alive = {
  tag: 'Server',
  answers: [
    { status: 200, description: 'Alive', schema: health },
    { status: 503, description: 'To be restarted', schema: health },
  ],
  problems: [],
} as const;
const ready = {
  tag: 'Server',
  answers: [
    { status: 200, description: 'Ready', schema: health },
    { status: 503, description: 'Not now', schema: health },
  ],
  problems: [],
} as const;

/** For orchestrators and Prometheus. */
@Controller()
export class ProbesController {
  constructor(
    @Inject(PROCESS_HEALTH) private readonly health: ProcessHealth,
    private readonly database: Database,
  ) {}

  /** Whether this process works. Asks no dependency: restarting it would not bring one back. */
  @Get('healthz')
  @Describe({ summary: 'Is the process alive', ...alive })
  async live(@Res() reply: FastifyReply): Promise<void> {
    await send(reply, this.health.isAlive());
  }

  /** Whether it can take requests now. */
  @Get('readyz')
  @Describe({ summary: 'Can the server take requests', ...ready })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    await send(reply, this.health.isReady() && (await this.databaseAnswers()));
  }

  @Get('health/live')
  @Describe({ summary: 'Is the process alive, as /healthz', ...alive })
  async healthLive(@Res() reply: FastifyReply): Promise<void> {
    await this.live(reply);
  }

  @Get('health/ready')
  @Describe({ summary: 'Can the server take requests, as /readyz', ...ready })
  async healthReady(@Res() reply: FastifyReply): Promise<void> {
    await this.ready(reply);
  }

  @Get('metrics')
  @Describe({
    summary: 'Metrics in Prometheus text format, or as OpenMetrics where `Accept` asks for it',
    tag: 'Server',
    answers: [
      { status: 200, description: 'Metrics', type: 'text/plain' },
      { status: 200, description: 'Metrics', type: 'application/openmetrics-text' },
    ],
    problems: [],
  })
  async metrics(@Headers('accept') accept: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const { contentType, body } = await renderMetrics(accept);
    await reply.header('content-type', contentType).send(body);
  }

  private async databaseAnswers(): Promise<boolean> {
    const timeout = AbortSignal.timeout(PING_TIMEOUT_MS);
    const tooLate = new Promise<false>((resolve) => timeout.addEventListener('abort', () => resolve(false)));
    const ping = this.database.query('SELECT 1').then(
      () => true,
      () => false,
    );
    return Promise.race([ping, tooLate]);
  }
}

const send = (reply: FastifyReply, isFine: boolean): FastifyReply =>
  reply.status(isFine ? 200 : 503).send({ status: isFine ? 'ok' : 'unavailable' } satisfies z.input<typeof health>);
