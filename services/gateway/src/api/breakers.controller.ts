import { Controller, Get, Res } from '@nestjs/common';
import { operationsV1 } from '@ragmesh/contracts';
import { GrpcClients } from '@ragmesh/grpc';
import { breakersOf } from '@ragmesh/resilience';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Describe } from '../openapi/describe.js';
import { EveryService, services } from './every-service.js';

const breakerSchema = z.object({
  service: z.string().describe('Whose calls it guards'),
  dependency: z.string().describe('What they go to'),
  state: z.enum(['closed', 'half-open', 'open']).describe('open: calls are refused at once'),
  state_seconds: z.number().describe('Time in this state'),
  calls: z.int().describe('Calls of the last ten seconds'),
  failures: z.int(),
  refused: z.int(),
});
const breakersAnswer = z.object({
  data: z.array(breakerSchema),
  unavailable: z.array(z.string()).describe('Services that did not answer and are missing here'),
});
type Breaker = z.input<typeof breakerSchema>;

/** The circuit breakers of all services, this one's included. */
@Controller('v1/admin/breakers')
export class BreakersController {
  constructor(
    private readonly clients: GrpcClients,
    private readonly every: EveryService,
  ) {}

  @Get()
  @Describe({
    summary: 'List circuit breakers with their state',
    tag: 'Administration',
    answers: [{ status: 200, description: 'Every breaker of every service', schema: breakersAnswer }],
    problems: [],
  })
  async list(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.input<typeof breakersAnswer>> {
    const { answers, unavailable } = await this.every.askAny(services, reply, (name, options) =>
      this.clients.of(operationsV1.BreakerService, name).listBreakers({}, options),
    );
    const theirs = answers.flatMap(({ breakers }) => breakers.map(breakerBody));
    return { data: [...ownBreakers(), ...theirs], unavailable: [...unavailable] };
  }
}

const ownBreakers = (): Breaker[] =>
  breakersOf('gateway').map(({ name, state, stateSeconds, recent }) => ({
    service: 'gateway',
    dependency: name,
    state,
    state_seconds: stateSeconds,
    ...recent,
  }));

const breakerBody = (breaker: operationsV1.Breaker): Breaker => ({
  service: breaker.service,
  dependency: breaker.dependency,
  state: breaker.state as Breaker['state'],
  state_seconds: breaker.stateSeconds,
  calls: Number(breaker.calls),
  failures: Number(breaker.failures),
  refused: Number(breaker.refused),
});
