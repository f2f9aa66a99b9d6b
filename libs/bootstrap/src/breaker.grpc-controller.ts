import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { operationsV1 } from '@ragmesh/contracts';
import { gauge } from '@ragmesh/observability';
import { breakersOf, watchBreakers } from '@ragmesh/resilience';
import { SERVICE_NAME } from './service-name.js';

const VALUES = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Every service shows the state of its circuit breakers, here and as a metric. */
@Controller()
export class BreakerGrpcController implements OnModuleInit, OnModuleDestroy {
  #unwatch: (() => void) | undefined;

  constructor(@Inject(SERVICE_NAME) private readonly service: string) {}

  onModuleInit(): void {
    const { service } = this;
    this.#unwatch = watchBreakers(service, ({ name, state }) =>
      gauge('ragmesh_breaker_state').set({ service, dependency: name }, VALUES[state]),
    );
  }

  onModuleDestroy(): void {
    this.#unwatch?.();
  }

  @GrpcMethod('BreakerService', 'ListBreakers')
  list(): MessageInitShape<typeof operationsV1.ListBreakersResponseSchema> {
    return {
      breakers: breakersOf(this.service).map(({ name, state, stateSeconds, recent }) => ({
        service: this.service,
        dependency: name,
        state,
        stateSeconds,
        calls: BigInt(recent.calls),
        failures: BigInt(recent.failures),
        refused: BigInt(recent.refused),
      })),
    };
  }
}
