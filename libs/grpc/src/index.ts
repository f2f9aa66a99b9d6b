export { CallContextInterceptor } from './call-context.interceptor.js';
export { incomingContext, incomingTrace } from './call-metadata.js';
export { GrpcClients } from './grpc-clients.js';
export { createGrpcClient, type CallOptions, type GrpcClient } from './grpc-client.js';
export { toGrpcStatus } from './grpc-error.js';
export { grpcTransport } from './grpc-server.js';
export { RpcErrorFilter } from './rpc-error.filter.js';
export type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
