import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { Setting } from '@ragmesh/config';
import type { operationsV1 } from '@ragmesh/contracts';
import { SERVICE_NAME } from './service-name.js';

/** Token of what the process was started with, secrets left out: `readonly Setting[]`. */
export const SETTINGS = Symbol('settings');

/** Every service tells what it was started with. Secrets never get here: they are left out where settings are read. */
@Controller()
export class SettingGrpcController {
  constructor(
    @Inject(SERVICE_NAME) private readonly service: string,
    @Inject(SETTINGS) private readonly settings: readonly Setting[],
  ) {}

  @GrpcMethod('SettingService', 'ListSettings')
  list(): MessageInitShape<typeof operationsV1.ListSettingsResponseSchema> {
    return {
      settings: this.settings.map(({ isSet, isSecret, ...setting }) => ({
        service: this.service,
        ...setting,
        ...{ set: isSet, secret: isSecret },
      })),
    };
  }
}
