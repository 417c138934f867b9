import { adjustBallast } from '../db/embedded/ballast.ts';
import { startEmbeddedPostgres } from '../db/embedded/embedded.ts';
import { prepareFolder } from '../db/embedded/home.ts';
import { lockFolder } from '../db/embedded/lock.ts';
import { ensureSpace, SPACE_RESERVE } from '../db/embedded/space.ts';
import { migrate } from '../db/migrate.ts';
import { type Db, openPool, type PoolOptions } from '../db/pool.ts';
import { requireServer } from '../db/server-version.ts';
import type { Source } from '../runtime/config-layer.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';

/** The data folder, held for this process alone, and the migrated database. */
export interface Store {
  db: Db;
  /** One connection more, for the renewals of leases: under whatever load they wait for nobody. */
  leases: Db;
  /** Whether the database is the embedded one: then this process is the only instance. */
  embedded: boolean;
  /** The folder of credentials.json. */
  folder: string;
  /** Throws when the disk of the embedded database is nearly full. Keeps some room for the time when it is. */
  ensureSpace(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Takes the data folder, starts or reaches the database and brings it to this program's schema.
 * @throws {StartError} for what a person can mend.
 */
export async function openStore(config: Config, sources: ReadonlyMap<string, Source>, logger: Logger): Promise<Store> {
  const onError = (error: Error) => logger.warn({ error }, 'a database connection was lost');
  const { max_connections, connection_lifetime: lifetime } = config.database;
  const open = (connection: PoolOptions['connection']) => {
    const db = openPool({ connection, max: max_connections, lifetime, onError });
    const leases = openPool({ connection, max: 1, lifetime, onError });
    return { db, leases, closePools: () => Promise.all([leases.close(), db.close()]) };
  };
  if (config.database.url !== null) {
    const folder = prepareFolder(config.data_dir);
    const lock = await lockFolder(folder);
    const { db, leases, closePools } = open(config.database.url);
    const close = async () => {
      await closePools();
      await lock.release();
    };
    await migrated(db, logger).catch(async (error: unknown) => {
      await close();
      throw notReachable(error, config.database.url ?? '');
    });
    return { db, leases, embedded: false, folder, ensureSpace: () => Promise.resolve(), close };
  }
  const postgres = await startEmbeddedPostgres({
    folder: config.data_dir,
    folderIsNamed: sources.get('data_dir')?.layer !== 'default',
    log: logger,
  });
  const { db, leases, closePools } = open(postgres.connection);
  const close = async () => {
    await closePools();
    await postgres.stop();
  };
  await migrated(db, logger).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    db,
    leases,
    embedded: true,
    folder: config.data_dir,
    ensureSpace: async () => ensureSpace(postgres.folder, SPACE_RESERVE, await adjustBallast(postgres.folder, logger)),
    close,
  };
}

async function migrated(db: Db, logger: Logger): Promise<void> {
  await requireServer(db);
  const ran = await migrate(db);
  if (ran.length > 0) logger.info({ migrations: ran }, 'the database was brought up to date');
}

function notReachable(error: unknown, url: string): unknown {
  if (error instanceof StartError || !(error instanceof Error)) return error;
  const where = URL.canParse(url) ? new URL(url).host : 'the database';
  // SQLSTATE insufficient_privilege: since PostgreSQL 15 only the owner of a database may make tables in it.
  const advice =
    'code' in error && error.code === '42501'
      ? 'let the role own the database (ALTER DATABASE … OWNER TO …), and what is in it'
      : 'check ALDIS_DATABASE_URL, or ALDIS_DATABASE_HOST and its like';
  return new StartError(`the database at ${where} cannot be used (${error.message}): ${advice}`, { cause: error });
}
