export * from './generated/ragmesh/knowledge/v1/knowledge_pb.js';
export * from './generated/ragmesh/knowledge/v1/keys_pb.js';
export * from './generated/ragmesh/knowledge/v1/flags_pb.js';
