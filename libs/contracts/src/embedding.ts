export * from './generated/ragmesh/embedding/v1/embedding_pb.js';
export * from './generated/ragmesh/embedding/v1/rerank_pb.js';
