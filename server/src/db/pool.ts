import pg from 'pg';

/**
 * The pool of connections, and the only user of the driver. A statement has a name, so that the server plans it once a
 * connection and the driver sends its text once.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Anything a statement can be run on: the pool (each statement its own transaction) or an open transaction. */
export interface Queryable {
  /**
   * Runs one statement and gives its rows.
   * @throws {pg.DatabaseError} as the server tells it; see `isUniqueViolation` and `isTransient`.
   */
  query<Row extends object = never>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs a script of several statements without parameters. For migrations and tests. */
  script(sql: string): Promise<void>;
}

export interface Db extends Queryable {
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /**
   * The same for work that first waits for its turn by a lock: each of its statements sees what is committed by then, and
   * not only what was when the waiting began.
   */
  inTurn<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Connections now: for metrics. */
  readonly usage: { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}

export interface PoolOptions {
  /** `postgres://user:password@host:port/database`, or the parts for a Unix socket. */
  connection: string | { host: string; port: number; user: string; password: string; database: string };
  /** Most connections at once. */
  max: number;
  /** Milliseconds after which a connection is replaced by a new one; null or absent: never. */
  lifetime?: number | null;
  /** Told of errors on idle connections; the pool replaces them by itself. */
  onError: (error: Error) => void;
}

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/**
 * Every statement here finds its rows by an index, for arrays of a few hundred keys at most. A plan made while a table was
 * empty must be as good when it holds millions: planned once, and never by reading or hashing a whole table.
 */
const SESSION = Object.entries({
  timezone: 'UTC',
  // A transaction that changes a row was begun after the last change of that row was committed, so its number is higher:
  // the order of events is the order of the changes (docs/adr/0011).
  default_transaction_isolation: 'repeatable\\ read',
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
})
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/** Opens a pool. Nothing is connected until the first statement. */
export function openPool({ connection, max, lifetime, onError }: PoolOptions): Db {
  const where = typeof connection === 'string' ? { connectionString: connection } : connection;
  const pool = new pg.Pool({
    ...where,
    max,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 0,
    maxLifetimeSeconds: Math.ceil((lifetime ?? 0) / 1000),
    keepAlive: true,
    application_name: 'aldis',
    statement_timeout: 30_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 10_000,
    options: SESSION,
  });
  pool.on('error', onError);
  return {
    ...queryable(pool),
    transaction: (work) => inTransaction(pool, 'begin', work),
    inTurn: (work) => inTransaction(pool, 'begin isolation level read committed', work),
    get usage() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
    close: () => pool.end(),
  };
}

async function inTransaction<T>(pool: pg.Pool, begin: string, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that is ended between two statements tells it here: an error that nobody listens to ends the process.
  const noteLoss = (error: Error) => {
    broken = error;
  };
  client.on('error', noteLoss);
  try {
    await client.query(begin);
    const result = await work(queryable(client));
    await client.query('commit');
    return result;
  } catch (error) {
    // A connection that cannot roll back is in an unknown state: it is closed, not returned.
    await client.query('rollback').catch((fault: Error) => {
      broken = fault;
    });
    throw error;
  } finally {
    client.off('error', noteLoss);
    client.release(broken);
  }
}

function queryable(on: pg.Pool | pg.PoolClient): Queryable {
  return {
    async query<Row extends object>({ name, text }: Statement, values: readonly unknown[] = []) {
      const { rows } = await on.query<Row>({ name, text, values: values as unknown[] });
      return rows;
    },
    async script(sql) {
      await on.query(sql);
    },
  };
}

/** Whether a statement failed because a row with that key exists; `constraint` names which key. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === '23505' &&
    (constraint === undefined || error.constraint === constraint)
  );
}

/** Failures that say nothing against the statement itself: connection lost, deadlock, server starting or stopping, timeout. */
export function isTransient(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|40|53|55P03|57)/.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return (
    /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH)/.test(code) || /connection|timeout|terminated/i.test(error.message)
  );
}

/**
 * Whether a value was refused as such, by the server (class 22, a check) or by arrays.ts: what one row carries, not how the
 * statement is made.
 */
export function isBadValue(error: unknown): boolean {
  if (error instanceof RangeError) return true;
  return error instanceof pg.DatabaseError && /^(22|23514)/.test(error.code ?? '');
}

/** Whether another transaction came between (class 40): serialisation failure or deadlock. It may be done again at once. */
export function isConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^40/.test(error.code ?? '');
}
