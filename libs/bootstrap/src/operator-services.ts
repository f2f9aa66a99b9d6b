import { messagingV1, operationsV1 } from '@ragmesh/contracts';
import { BreakerGrpcController } from './breaker.grpc-controller.js';
import { DeadLetterGrpcController } from './dead-letter.grpc-controller.js';
import { SagaGrpcController } from './saga.grpc-controller.js';
import { SettingGrpcController } from './setting.grpc-controller.js';

/** What every service answers to its operators, beside what it is for. */
export const operatorServices = [
  messagingV1.DeadLetterService,
  operationsV1.SagaService,
  operationsV1.BreakerService,
  operationsV1.SettingService,
] as const;

export const operatorControllers = [
  DeadLetterGrpcController,
  SagaGrpcController,
  BreakerGrpcController,
  SettingGrpcController,
];
