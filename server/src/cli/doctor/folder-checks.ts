import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SPACE_RESERVE } from '../../db/embedded/space.ts';
import type { Config } from '../../runtime/settings.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';

const MIB = 2 ** 20;
/** Free bytes below which a disk should be seen to: five times what is kept in reserve. */
const LITTLE_SPACE = 5 * SPACE_RESERVE;
const SECRETS = ['secret.key', 'credentials.json'];

/** The data folder: its rights, those of the secrets in it, and the room on its disk. */
export async function checkFolder({ data_dir: folder }: Config): Promise<Finding[]> {
  if (!existsSync(folder)) {
    return [canBeMade(folder), await checkSpace(nearestAbove(folder))];
  }
  return [checkRights(folder), ...checkSecrets(folder), await checkSpace(folder)];
}

function canBeMade(folder: string): Finding {
  try {
    accessSync(nearestAbove(folder), constants.W_OK | constants.X_OK);
    return ok('data folder', `${folder} is not there yet; the first start makes it`);
  } catch (error) {
    return fail(
      'data folder',
      `${folder} is not there and cannot be made: ${reasonOf(error)}`,
      'run this as the user of the server, or name another folder in ALDIS_DATA_DIR',
    );
  }
}

function checkRights(folder: string): Finding {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok('data folder', `${folder} can be written`);
  } catch (error) {
    return fail(
      'data folder',
      `${folder} cannot be used: ${reasonOf(error)}`,
      'run this as the user of the server, or give that user the folder (chown)',
    );
  }
}

function checkSecrets(folder: string): Finding[] {
  const open = SECRETS.filter((name) => {
    const file = statSync(join(folder, name), { throwIfNoEntry: false });
    return file !== undefined && (file.mode & 0o077) !== 0;
  });
  if (open.length === 0) return [ok('secrets', 'only their owner can read them')];
  const files = open.map((name) => join(folder, name)).join(' ');
  return [fail('secrets', `others on this machine can read ${open.join(' and ')}`, `chmod 600 ${files}`)];
}

async function checkSpace(folder: string): Promise<Finding> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const free = bavail * bsize;
  const share = Math.round((100 * bavail) / Math.max(blocks, 1));
  const message = `${Math.floor(free / MIB)} MiB free (${share} %) on the disk of ${folder}`;
  const advice = 'make room, or move the folder to a larger disk and name it in ALDIS_DATA_DIR';
  if (free <= SPACE_RESERVE)
    return fail('disk', `${message}: nothing is accepted below ${SPACE_RESERVE / MIB}`, advice);
  return free <= LITTLE_SPACE ? warn('disk', message, advice) : ok('disk', message);
}

function nearestAbove(folder: string): string {
  let above = folder;
  while (!existsSync(above)) above = dirname(above);
  return above;
}
