import fs from 'node:fs';
import path from 'node:path';
import { type Connection, ROLE, readPassword } from './cluster.ts';
import { findHome, SYSTEM_FOLDER } from './home.ts';
import type { EmbeddedLog } from './log.ts';
import { findPostmaster, PORT, SOCKET_NAME } from './postmaster.ts';
import { socketFolder } from './socket-folder.ts';

/** What a data folder has of an embedded database. */
export type Found =
  | { kind: 'none' }
  /** Made, and not running. */
  | { kind: 'stopped'; folder: string }
  /** Running, for another process. */
  | { kind: 'running'; folder: string; connection: Connection };

/**
 * Looks for the embedded database of a data folder and for the way to reach it while another process keeps it. Starts
 * nothing and makes no database.
 * @throws {StartError} when the folder is there and cannot be used by this user.
 */
export function findEmbedded(folder: string, folderIsNamed: boolean, log: EmbeddedLog): Found {
  if (!fs.existsSync(path.join(folder, 'postgres'))) return { kind: 'none' };
  const home = findHome(fs.realpathSync(folder), { folderIsNamed, system: SYSTEM_FOLDER, log });
  if (!fs.existsSync(home.data) || fs.existsSync(home.marker)) return { kind: 'none' };
  if (!findPostmaster(home.data)) return { kind: 'stopped', folder: home.root };
  const host = socketFolder(home.run, SOCKET_NAME, home.who);
  const connection = { host, port: PORT, user: ROLE, password: readPassword(home.password), database: ROLE };
  return { kind: 'running', folder: home.root, connection };
}
