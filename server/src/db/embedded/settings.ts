/** PostgreSQL's settings, as the configuration file would name them. */
export type ServerSettings = Readonly<Record<string, string | number>>;

/** How the embedded server runs: one machine, one application, durable, and small. */
export const SETTINGS: ServerSettings = {
  // Reached by its socket only, and by its own user (and root) only.
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: 40,
  superuser_reserved_connections: 2,
  cluster_name: 'aldis',

  // An acknowledged commit is on the disk. These are the defaults; they stand here because everything rests on them.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',

  shared_buffers: '40MB',
  // Containers have 64 MB of /dev/shm.
  dynamic_shared_memory_type: 'mmap',
  huge_pages: 'off',
  max_worker_processes: 4,
  max_parallel_workers_per_gather: 0,
  io_method: 'sync',
  jit: 'off',

  // Nobody replicates from this server.
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_logical_replication_workers: 0,
  // Without it more is sent among millions of messages, and a life takes a tenth longer: more checkpoints (bench/RESULTS.md).
  wal_compression: 'on',
  min_wal_size: '64MB',
  max_wal_size: '512MB',
  checkpoint_timeout: '5min',

  // The table of due work turns over all the time.
  autovacuum_naptime: '5s',
  // One worker at a time, and small samples: every plan is generic and by an index, and a sample of wide rows is 16 MB.
  autovacuum_max_workers: 1,
  autovacuum_work_mem: '8MB',
  maintenance_work_mem: '32MB',
  default_statistics_target: 20,
  idle_in_transaction_session_timeout: '30s',

  timezone: 'UTC',
  log_timezone: 'UTC',
  // Its log goes into ours, which adds time and process. No statement and no row of a customer belongs there.
  log_line_prefix: '',
  log_checkpoints: 'off',
  logging_collector: 'off',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** The arguments of `postgres` for a cluster, its socket's folder and settings; the later of two that name the same wins. */
export function serverArguments(data: string, sockets: string, ...settings: readonly ServerSettings[]): string[] {
  const merged = new Map(settings.flatMap((each) => Object.entries(each)));
  return ['-D', data, '-k', sockets, ...[...merged].flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
