export * from './generated/ragmesh/events/v1/document_pb.js';
export * from './generated/ragmesh/events/v1/index_pb.js';
export * from './generated/ragmesh/events/v1/query_pb.js';
export * from './generated/ragmesh/events/v1/system_pb.js';
