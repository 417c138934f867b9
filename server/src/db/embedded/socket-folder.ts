import fs from 'node:fs';
import path from 'node:path';
import { StartError } from '../../runtime/start-error.ts';
import { give, type Who } from './who.ts';

/** Bytes that fit the path of a Unix socket, without the closing zero (`sun_path`: 104 on macOS, 108 on Linux). */
const LONGEST_PATH = process.platform === 'darwin' ? 103 : 107;

/** Where the short folders go. Not the temporary folder of the environment: every start has to find the same one. */
const SHORT = '/tmp';

/**
 * The folder for sockets that belong into `wanted` (made, mode 700, owned by `who`). When the path of `longestName` in
 * it would not fit a socket's address, a short folder in /tmp stands in, named after the wanted one's device and inode,
 * so that each start arrives at the same.
 * @throws {StartError} when the short folder's name is taken by somebody else.
 */
export function socketFolder(wanted: string, longestName: string, who: Who): string {
  makePrivate(wanted, who);
  if (Buffer.byteLength(path.join(wanted, longestName)) <= LONGEST_PATH) return wanted;
  const { dev, ino } = fs.statSync(wanted);
  const short = path.join(SHORT, `aldis-${dev.toString(36)}-${ino.toString(36)}`);
  makePrivate(short, who);
  // Anybody may make names in /tmp: a folder or a link put there for us is not ours.
  const found = fs.lstatSync(short);
  if (!found.isDirectory() || found.uid !== who.uid || (found.mode & 0o077) !== 0) {
    throw new StartError(
      `${short} stands in for ${wanted}, whose path is too long for a socket, but it is not a folder that only ${who.name} may open: remove it, or name a shorter folder in ALDIS_DATA_DIR.`,
    );
  }
  return short;
}

function makePrivate(folder: string, who: Who): void {
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (fs.existsSync(folder)) return;
    throw error;
  }
  give(who, folder);
}
