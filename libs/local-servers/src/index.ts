export { findKafkaJars } from './kafka-jars.js';
export { serversFolder } from './servers-folder.js';
export { KafkaServer, type KafkaServerOptions } from './kafka-server.js';
export type { KafkaBroker } from './kafka-broker.js';
export type { KafkaCredentials } from './kafka-settings.js';
export { RedisServer, type RedisServerOptions } from './redis-server.js';
export { freePorts } from './free-ports.js';
export { PgvectorPostgres, type PgvectorPostgresOptions } from './pgvector-postgres.js';
