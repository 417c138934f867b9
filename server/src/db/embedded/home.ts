import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { StartError } from '../../runtime/start-error.ts';
import { sync } from './durable.ts';
import type { EmbeddedLog } from './log.ts';
import { chooseWho, firstClosed, give, type Who } from './who.ts';

/** Where the embedded database lies, and who may open it. */
export interface Home {
  readonly who: Who;
  /** Ours: passwords and marker. Others may pass (711), so that the server's user reaches its own folders. */
  readonly root: string;
  /** PostgreSQL's data folder (700 of the server's user). */
  readonly data: string;
  /** For the server's socket (700 of the server's user). */
  readonly run: string;
  /** The application's password (600). */
  readonly password: string;
  /** The bootstrap superuser's (600): used to make the role and the database, then kept for the operator only. */
  readonly superuserPassword: string;
  /** There while the database is being made: what is found beside it is half-made. */
  readonly marker: string;
  /** Links to libraries, when they cannot be made beside the libraries. */
  readonly links: string;
}

/** What belongs to the machine rather than to a project: data and binaries that root's deputy could not reach. */
export const SYSTEM_FOLDER = '/var/lib/aldis';

/**
 * Makes the data folder, when there is none, and gives its real path.
 * @throws {StartError} when it cannot be made or written.
 */
export function prepareFolder(folder: string): string {
  try {
    makePassable(path.resolve(folder));
    const real = fs.realpathSync(folder);
    fs.accessSync(real, fs.constants.W_OK | fs.constants.X_OK);
    return real;
  } catch (error) {
    throw new StartError(
      `The data folder ${path.resolve(folder)} cannot be written (${(error as Error).message}): open it for this user, or name another folder in ALDIS_DATA_DIR.`,
      { cause: error },
    );
  }
}

/**
 * Finds or makes the database's place in the data folder: `postgres/`. When we are root and the user we step down to
 * cannot reach it (a project under a folder of mode 700), and the folder is the default one, `postgres` becomes a link
 * into `system`, and every later start follows it.
 * @throws {StartError} when a named folder cannot be reached: says which parent to open.
 */
export function findHome(
  folder: string,
  { folderIsNamed, system, log }: { folderIsNamed: boolean; system: string; log: EmbeddedLog },
): Home {
  const wanted = path.join(folder, 'postgres');
  let root = resolveLink(wanted);
  const who = chooseWho(path.join(root, 'pg'));
  letPass(folder, who);
  const closed = firstClosed(who, root);
  if (closed !== undefined) {
    if (folderIsNamed || fs.existsSync(root)) {
      throw new StartError(
        `${root} cannot be reached by the user ${who.name}, who runs PostgreSQL when Aldis is started as root: open its parent ${closed} (chmod o+x ${closed}), name another folder in ALDIS_DATA_DIR, or set ALDIS_DATABASE_URL.`,
      );
    }
    root = moveOut(wanted, system);
    log.warn(`The user ${who.name} cannot pass ${closed}: the database is kept in ${root}`);
  }
  makePassable(root);
  return {
    who,
    root,
    data: path.join(root, 'pg'),
    run: path.join(root, 'run'),
    password: path.join(root, 'password'),
    superuserPassword: path.join(root, 'superuser-password'),
    marker: path.join(root, 'initialising'),
    links: path.join(root, 'lib'),
  };
}

/** Makes a folder of the server's user, which nobody else may open. */
export function makePrivateFolder(folder: string, who: Who): void {
  fs.mkdirSync(folder, { mode: 0o700 });
  give(who, folder);
}

/** A folder that others may pass but not list: passable whatever the umask is, when we are the one who makes it. */
function makePassable(folder: string): void {
  const first = fs.mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  fs.chmodSync(folder, 0o711);
  for (let made = folder; ; made = path.dirname(made)) {
    sync(path.dirname(made));
    if (made === first) return;
  }
}

/**
 * Lets the server's user pass a data folder that root made for itself, as `mktemp -d` does. What is in it has modes of its
 * own. The folders above are not ours to open.
 */
function letPass(folder: string, who: Who): void {
  const { mode, uid } = fs.statSync(folder);
  if (who.stepsDown && uid === 0 && (mode & 0o001) === 0) fs.chmodSync(folder, (mode & 0o7777) | 0o011);
}

function resolveLink(wanted: string): string {
  if (!fs.lstatSync(wanted, { throwIfNoEntry: false })?.isSymbolicLink()) return wanted;
  const target = path.resolve(path.dirname(wanted), fs.readlinkSync(wanted));
  if (fs.existsSync(target)) return fs.realpathSync(target);
  throw new StartError(
    `${wanted} leads to the database in ${target}, which is gone: bring that folder back, or remove the link to begin with an empty database.`,
  );
}

/** A folder of our own in `system`. Its name is never used again: who removes the data folder begins anew. */
function moveOut(wanted: string, system: string): string {
  const project = path.basename(path.dirname(path.dirname(wanted))).replaceAll(/[^\w-]+/g, '-') || 'data';
  makePassable(system);
  const root = path.join(fs.realpathSync(system), `${project}-${randomBytes(6).toString('hex')}`);
  makePassable(root);
  fs.symlinkSync(root, wanted);
  sync(path.dirname(wanted));
  return root;
}
