import { startEmbeddedPostgres } from '../db/embedded/embedded.ts';
import { prepareFolder } from '../db/embedded/home.ts';
import { lockFolder } from '../db/embedded/lock.ts';
import type { EmbeddedLog } from '../db/embedded/log.ts';
import { findEmbedded } from '../db/embedded/reach.ts';
import { type Db, openPool } from '../db/pool.ts';
import type { LoadedConfig } from '../runtime/config.ts';
import { StartError } from '../runtime/start-error.ts';

/** The server's database for a command that works on it directly, as it is: not migrated. */
export interface OpenDatabase {
  db: Db;
  /** Where it is, for a person. */
  where: string;
  close(): Promise<void>;
}

/** A command says itself what matters, and a trouble is thrown. */
const log: EmbeddedLog = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Opens the database to read it. A server may be at work on it; an embedded one that nobody runs is started for as long
 * as it takes, and none is made.
 * @throws {StartError} when there is none.
 */
export async function openToRead(loaded: LoadedConfig): Promise<OpenDatabase> {
  const { config } = loaded;
  if (config.database.url !== null) return byUrl(config.database.url, async () => {});
  const found = findEmbedded(config.data_dir, isNamed(loaded), log);
  if (found.kind === 'none') {
    throw new StartError(
      `there is no database in ${config.data_dir}: name the folder of the server in ALDIS_DATA_DIR, or its database in ALDIS_DATABASE_URL`,
    );
  }
  if (found.kind === 'running') {
    const db = pool(found.connection);
    return { db, where: found.folder, close: () => db.close() };
  }
  return openEmbedded(loaded);
}

/**
 * Opens the database for this process alone, as a server does: refused while one runs in the data folder. Makes the folder
 * and an embedded database when there is none.
 * @throws {StartError} when the folder is in use.
 */
export async function openAlone(loaded: LoadedConfig): Promise<OpenDatabase> {
  const { url } = loaded.config.database;
  if (url === null) return openEmbedded(loaded);
  const lock = await lockFolder(prepareFolder(loaded.config.data_dir));
  return byUrl(url, () => lock.release());
}

async function openEmbedded(loaded: LoadedConfig): Promise<OpenDatabase> {
  const { data_dir: folder } = loaded.config;
  const postgres = await startEmbeddedPostgres({ folder, folderIsNamed: isNamed(loaded), log });
  const db = pool(postgres.connection);
  const close = async () => {
    await db.close();
    await postgres.stop();
  };
  return { db, where: postgres.folder, close };
}

async function byUrl(url: string, release: () => Promise<void>): Promise<OpenDatabase> {
  const db = pool(url);
  const { host, pathname } = new URL(url);
  const where = `${host}${pathname}`;
  const close = async () => {
    await db.close();
    await release();
  };
  try {
    await db.query({ name: 'reach', text: 'select 1' });
  } catch (error) {
    await close();
    const why = error instanceof Error && error.message !== '' ? error.message : String(error);
    throw new StartError(`the database at ${where} cannot be used (${why}): check ALDIS_DATABASE_URL`, {
      cause: error,
    });
  }
  return { db, where, close };
}

function pool(connection: Parameters<typeof openPool>[0]['connection']): Db {
  return openPool({ connection, max: 1, onError: () => {} });
}

function isNamed({ sources }: LoadedConfig): boolean {
  return sources.get('data_dir')?.layer !== 'default';
}
