import pg from 'pg';
import { type SilenceWatch, watchSilence } from './silence.ts';

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
  /** Tells from now on how many seconds each statement takes that is answered, commits among them. For metrics. */
  onAnswer(tell: (seconds: number) => void): void;
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
    // Also how long a statement waits for its turn: whatever the database does, a request is answered.
    connectionTimeoutMillis: 4_000,
    idleTimeoutMillis: 0,
    maxLifetimeSeconds: Math.ceil((lifetime ?? 0) / 1000),
    keepAlive: true,
    application_name: 'aldis',
    statement_timeout: 30_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 10_000,
    options: SESSION,
  });
  // What the server still says to a connection that is being closed is nobody's concern.
  pool.on('error', (error) => {
    if (!pool.ending) onError(error);
  });
  // Whoever takes a connection listens a moment later: an error in between would end the process. The next statement tells it.
  pool.on('connect', (client) => client.on('error', () => {}));
  const watch = watchSilence(pool, where, onError);
  let tell = (_seconds: number) => {};
  const took = (since: number) => tell((performance.now() - since) / 1000);
  return {
    ...queryable({ query: (statement) => onAny(pool, statement) }, watch.begin, took),
    transaction: (work) => inTransaction(pool, watch, took, 'begin', work),
    inTurn: (work) => inTransaction(pool, watch, took, 'begin isolation level read committed', work),
    onAnswer(told) {
      tell = told;
    },
    get usage() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
    close() {
      watch.close();
      return pool.end();
    },
  };
}

/**
 * Runs a statement on any connection. Unlike the driver's own way this keeps a connection on which a statement failed: the next one
 * finds its plans there, and while the disk is full a new connection may not come to be.
 */
async function onAny<Row extends object>(pool: pg.Pool, statement: pg.QueryConfig): Promise<pg.QueryResult<Row>> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await client.query<Row>(statement);
  } catch (error) {
    // The server's own end, or its confusion: what else it says concerns the statement alone.
    const isOfStatement = error instanceof pg.DatabaseError && !/^(08|25P03|57P|XX)/.test(error.code ?? '');
    if (!isOfStatement) broken = error as Error;
    throw error;
  } finally {
    client.release(broken);
  }
}

async function inTransaction<T>(
  pool: pg.Pool,
  watch: SilenceWatch,
  took: (since: number) => void,
  begin: string,
  work: (tx: Queryable) => Promise<T>,
): Promise<T> {
  watch.begin();
  const client = await pool.connect();
  let broken: Error | undefined;
  // A connection that is ended between two statements tells it here: an error that nobody listens to ends the process.
  const noteLoss = (error: Error) => {
    broken = error;
  };
  client.on('error', noteLoss);
  try {
    await client.query(begin);
    watch.answered(client);
    const asking = () => watch.asked(client);
    const result = await work(
      queryable(client, asking, (since) => {
        watch.answered(client);
        took(since);
      }),
    );
    asking();
    const since = performance.now();
    await client.query('commit');
    took(since);
    return result;
  } catch (error) {
    watch.asked(client);
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

/** What runs a statement: one connection, or any. */
interface Runner {
  query<Row extends object>(statement: pg.QueryConfig): Promise<{ rows: Row[] }>;
}

/**
 * @param asking is called before each statement, `answered` after it, with when it was asked, when it did not fail: then the connection is
 * still well.
 */
function queryable(on: Runner, asking: () => void, answered: (since: number) => void): Queryable {
  return {
    async query<Row extends object>({ name, text }: Statement, values: readonly unknown[] = []) {
      asking();
      const since = performance.now();
      const { rows } = await on.query<Row>({ name, text, values: values as unknown[] });
      answered(since);
      return rows;
    },
    async script(sql) {
      asking();
      const since = performance.now();
      await on.query({ text: sql });
      answered(since);
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
    /^(ECONN|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH)/.test(code) ||
    /connection|timeout|terminated|not queryable/i.test(error.message)
  );
}

/** Whether the database's disk is full (53100): it refuses what needs room, and keeps what it has. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '53100';
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
