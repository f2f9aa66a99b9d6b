import { Module, type DynamicModule } from '@nestjs/common';
import type { Setting } from '@ragmesh/config';
import { GrpcClients, GuardedClients } from '@ragmesh/grpc';
import type { ServiceName } from '@ragmesh/contracts';
import { DeadLetterReplays, DeadLetterStore } from '@ragmesh/inbox';
import type { Logger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { Database } from '@ragmesh/postgres';
import { SagaEngines, SagaOperator, SagaStore } from '@ragmesh/saga';
import { FLAGS, type Flags } from './flags/service-flags.js';
import { operatorControllers } from './operator-services.js';
import type { ProcessHealth } from './service-definition.js';
import { SERVICE_NAME } from './service-name.js';
import { SETTINGS } from './setting.grpc-controller.js';

/** Token of the service's validated configuration. */
export const CONFIG = Symbol('config');
/** Token of the service's logger. */
export const LOGGER = Symbol('logger');
/** Token of the process's {@link ProcessHealth}. */
export const PROCESS_HEALTH = Symbol('process-health');
/** Token of the bus, for best-effort events that belong to no transaction. */
export const BUS = Symbol('bus');

export interface Runtime {
  readonly service: ServiceName;
  readonly config: unknown;
  /** What the process was started with, secrets left out. */
  readonly settings: readonly Setting[];
  readonly logger: Logger;
  readonly database: Database;
  readonly outbox: Outbox;
  readonly clients: GrpcClients;
  readonly guardedClients: GuardedClients;
  /** What may change at run time. */
  readonly flags: Flags;
  readonly health: ProcessHealth;
  readonly bus: unknown;
}

/** Hands a running service's plumbing to its providers. */
@Module({})
export class RuntimeModule {
  static with(runtime: Runtime): DynamicModule {
    const letters = new DeadLetterStore(runtime.database);
    const engines = new SagaEngines();
    const sagas = new SagaStore(runtime.database);
    const providers = [
      { provide: SERVICE_NAME, useValue: runtime.service },
      { provide: CONFIG, useValue: runtime.config },
      { provide: SETTINGS, useValue: runtime.settings },
      { provide: LOGGER, useValue: runtime.logger },
      { provide: FLAGS, useValue: runtime.flags },
      { provide: PROCESS_HEALTH, useValue: runtime.health },
      { provide: BUS, useValue: runtime.bus },
      { provide: Database, useValue: runtime.database },
      { provide: Outbox, useValue: runtime.outbox },
      { provide: GrpcClients, useValue: runtime.clients },
      { provide: GuardedClients, useValue: runtime.guardedClients },
      { provide: DeadLetterStore, useValue: letters },
      { provide: DeadLetterReplays, useValue: new DeadLetterReplays(letters, runtime.outbox, runtime.service) },
      { provide: SagaEngines, useValue: engines },
      { provide: SagaStore, useValue: sagas },
      { provide: SagaOperator, useValue: new SagaOperator(sagas, engines, runtime.outbox) },
    ];
    return {
      module: RuntimeModule,
      global: true,
      controllers: operatorControllers,
      providers,
      exports: providers,
    };
  }
}
