import { Module, type OnModuleDestroy } from '@nestjs/common';
import { BUS, LOGGER } from '@ragmesh/bootstrap';
import { BestEffortPublisher, type BusDriver } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { GenerationGrpcController } from './api/generation.grpc-controller.js';
import { GenerateAnswer } from './commands/generate-answer.js';
import { GenerationEvents } from './publishes/generation-events.js';

const publisher = {
  provide: BestEffortPublisher,
  inject: [BUS, LOGGER],
  useFactory: (bus: BusDriver, logger: Logger) => new BestEffortPublisher('generation', bus, logger),
};

/** Composition root: sync in, decisions, out. */
@Module({
  controllers: [GenerationGrpcController],
  providers: [GenerateAnswer, GenerationEvents, publisher],
})
export class GenerationModule implements OnModuleDestroy {
  constructor(private readonly publisher: BestEffortPublisher) {}

  async onModuleDestroy(): Promise<void> {
    await this.publisher.close();
  }
}
