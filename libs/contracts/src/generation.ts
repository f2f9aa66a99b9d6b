export * from './generated/ragmesh/generation/v1/generation_pb.js';
export * from './generated/ragmesh/generation/v1/query_writing_pb.js';
export * from './generated/ragmesh/generation/v1/conversations_pb.js';
export * from './generated/ragmesh/generation/v1/questions_pb.js';
export * from './generated/ragmesh/generation/v1/usage_pb.js';
