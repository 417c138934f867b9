import { startEmbeddedPostgres } from '../db/embedded/embedded.ts';
import { prepareFolder } from '../db/embedded/home.ts';
import { lockFolder } from '../db/embedded/lock.ts';
import { ensureSpace } from '../db/embedded/space.ts';
import { migrate } from '../db/migrate.ts';
import { type Db, openPool } from '../db/pool.ts';
import type { Source } from '../runtime/config-layer.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';

/** The data folder, held for this process alone, and the migrated database. */
export interface Store {
  db: Db;
  /** Whether the database is the embedded one: then this process is the only instance. */
  embedded: boolean;
  /** The folder of credentials.json. */
  folder: string;
  /** Throws when the disk of the embedded database is nearly full. */
  ensureSpace(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Takes the data folder, starts or reaches the database and brings it to this program's schema.
 * @throws {StartError} for what a person can mend.
 */
export async function openStore(config: Config, sources: ReadonlyMap<string, Source>, logger: Logger): Promise<Store> {
  const onError = (error: Error) => logger.warn({ error }, 'a database connection was lost');
  const { max_connections: max, connection_lifetime: lifetime } = config.database;
  if (config.database.url !== null) {
    const folder = prepareFolder(config.data_dir);
    const lock = await lockFolder(folder);
    const db = openPool({ connection: config.database.url, max, lifetime, onError });
    const close = async () => {
      await db.close();
      await lock.release();
    };
    await migrated(db, logger).catch(async (error: unknown) => {
      await close();
      throw notReachable(error, config.database.url ?? '');
    });
    return { db, embedded: false, folder, ensureSpace: () => Promise.resolve(), close };
  }
  const postgres = await startEmbeddedPostgres({
    folder: config.data_dir,
    folderIsNamed: sources.get('data_dir')?.layer !== 'default',
    log: logger,
  });
  const db = openPool({ connection: postgres.connection, max, lifetime, onError });
  const close = async () => {
    await db.close();
    await postgres.stop();
  };
  await migrated(db, logger).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { db, embedded: true, folder: config.data_dir, ensureSpace: () => ensureSpace(postgres.folder), close };
}

async function migrated(db: Db, logger: Logger): Promise<void> {
  const ran = await migrate(db);
  if (ran.length > 0) logger.info({ migrations: ran }, 'the database was brought up to date');
}

function notReachable(error: unknown, url: string): unknown {
  if (error instanceof StartError || !(error instanceof Error)) return error;
  const where = URL.canParse(url) ? new URL(url).host : 'the database';
  return new StartError(
    `the database at ${where} cannot be used (${error.message}): check ALDIS_DATABASE_URL, or ALDIS_DATABASE_HOST and its like`,
    {
      cause: error,
    },
  );
}
