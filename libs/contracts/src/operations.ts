export * from './generated/ragmesh/operations/v1/saga_pb.js';
export * from './generated/ragmesh/operations/v1/breaker_pb.js';
export * from './generated/ragmesh/operations/v1/setting_pb.js';
