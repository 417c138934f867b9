import path from 'node:path';
import { findNative, readyBinaries } from './binaries.ts';
import { type Connection, isMade, makeCluster, makeRole, ROLE, readPassword } from './cluster.ts';
import { findHome, prepareFolder, SYSTEM_FOLDER } from './home.ts';
import { lockFolder } from './lock.ts';
import type { EmbeddedLog } from './log.ts';
import { PORT, SOCKET_NAME } from './postmaster.ts';
import { endOrphan } from './running.ts';
import { keepServer } from './server.ts';
import { SETTINGS, type ServerSettings, serverArguments } from './settings.ts';
import { socketFolder } from './socket-folder.ts';
import { templateOf } from './template.ts';

/*
 * A PostgreSQL of our own, for those who have none to offer: a real one, from an npm package, as a child process behind a
 * Unix socket. docs/adr/0002-embedded-postgresql.md says why, and what it has to cope with.
 */

/** What the embedded database is started with. */
export interface EmbeddedOptions {
  /** The whole data folder, such as `.aldis`: it is locked, and the database lies in its `postgres/`. */
  readonly folder: string;
  /** Whether a person chose the folder. If not, root may put the database elsewhere when the default cannot be reached. */
  readonly folderIsNamed: boolean;
  readonly log: EmbeddedLog;
  /** Settings of PostgreSQL that replace ours. */
  readonly settings?: ServerSettings;
  /** The programs' folder, as the npm package has it. */
  readonly native?: string;
  /** Where root puts what its deputy cannot reach in the project. */
  readonly system?: string;
}

/** The embedded database, running. When it ends by itself it is started again: connections break, the data stays. */
export interface EmbeddedPostgres {
  /** For the pool. The role is no superuser, and owns the database. */
  readonly connection: Connection;
  /** Whether the server of an earlier run was found running and taken over. */
  readonly adopted: boolean;
  /** Where the database really lies: the disk to watch with `freeSpace`. */
  readonly folder: string;
  /** The process number of the server now. */
  readonly pid: number;
  /** Shuts the server down and gives the data folder free; at most about 8 s. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL of a data folder; makes folder and database when they are not there. Takes about a
 * second the first time, and less than a tenth of one later.
 * @throws {StartError} for what a person can mend: folder in use, not to be written or reached, data of another
 *   PostgreSQL, a machine it does not run on, a full disk.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { log, folderIsNamed, settings = {}, system = SYSTEM_FOLDER } = options;
  const native = options.native ?? findNative();
  const folder = prepareFolder(options.folder);
  const locks = [await lockFolder(folder)];
  const release = async () => {
    for (const lock of locks) await lock.release();
  };
  try {
    const home = findHome(folder, { folderIsNamed, system, log });
    // A copied data folder leads to the same database elsewhere.
    if (path.dirname(home.root) !== folder) locks.push(await lockFolder(home.root));
    const binaries = readyBinaries(native, home, system, log);
    let firstPassword: string | undefined;
    if (!isMade(home, binaries)) {
      await endOrphan(home);
      firstPassword = await makeCluster(home, binaries, templateOf(binaries, system));
    }
    const host = socketFolder(home.run, SOCKET_NAME, home.who);
    const connection = { host, port: PORT, user: ROLE, password: readPassword(home.password), database: ROLE };
    const args = serverArguments(home.data, host, SETTINGS, settings);
    const server = await keepServer({ home, binaries, sockets: host, args, connection, log });
    if (firstPassword !== undefined) {
      await makeRole(home, connection, firstPassword).catch(async (error: unknown) => {
        await server.stop();
        throw error;
      });
    }
    return {
      connection,
      adopted: server.adopted,
      folder: home.root,
      get pid() {
        return server.pid;
      },
      async stop() {
        try {
          await server.stop();
        } finally {
          await release();
        }
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
