import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Describe } from '../openapi/describe.js';
import { SystemHealthCheck, type SystemHealth } from './system-health.js';

const condition = z.enum(['up', 'down']);
const systemHealth = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  components: z
    .record(z.string(), condition)
    .describe(
      'vector_db, cache, embedder, document_store, catalogue, models, database, and llm where one is configured',
    ),
  services: z.object({ retrieval: condition, generation: condition }),
  uptime_seconds: z.int(),
});

/** How the whole mesh is, for people and dashboards. Orchestrators ask the probes: this looks at dependencies. */
@Controller('health')
export class HealthController {
  constructor(private readonly check: SystemHealthCheck) {}

  @Get()
  @Describe({
    summary: 'How are the parts that answers are made of',
    tag: 'Existing clients',
    answers: [
      { status: 200, description: 'Questions are answered, perhaps less well', schema: systemHealth },
      { status: 503, description: 'Questions cannot be answered', schema: systemHealth },
    ],
    problems: [],
  })
  async health(@Res() reply: FastifyReply): Promise<void> {
    const health = await this.check.run();
    await reply.status(health.status === 'unhealthy' ? 503 : 200).send(health satisfies SystemHealth);
  }
}
