/** A small server for one machine: little memory, no replication, no parallel workers, and every commit on disk. */
export const serverSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '120',
  shared_buffers: '64MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  jit: 'off',
  random_page_cost: '1.1', // what is asked for is in memory, or on a disk without a head to move
  io_method: 'sync', // the default keeps three worker processes
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  autovacuum_max_workers: '1',
  autovacuum_worker_slots: '2',
  fsync: 'on',
  synchronous_commit: 'on',
  wal_level: 'minimal',
  max_wal_senders: '0',
  min_wal_size: '64MB',
  max_wal_size: '512MB',
  checkpoint_timeout: '15min',
  client_connection_check_interval: '2s',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  // Statements may carry document text; the log must not.
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
};

/**
 * Locale without dependence on what the machine has installed. The password is 256 random bits, so stretching it only
 * makes every connection slower.
 */
export const initdbArguments: readonly string[] = [
  '--username=ragmesh',
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--set=scram_iterations=1',
];
