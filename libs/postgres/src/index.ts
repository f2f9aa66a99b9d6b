export { Database } from './database.js';
export { EmbeddedPostgres } from './embedded/embedded-postgres.js';
export { attachEmbedded } from './embedded/attach-embedded.js';
export { GrowthAnalysis } from './growth-analysis.js';
export { migrate, pendingMigrations } from './migrate.js';
export { Notifications } from './notifications.js';
export { createPool, type PoolOptions } from './pool.js';
export { asStorageError, isUniqueViolation } from './postgres-error.js';
export type { SqlResult, SqlRunner, SqlTransaction } from './sql-transaction.js';
