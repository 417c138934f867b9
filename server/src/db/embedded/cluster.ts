import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { StartError } from '../../runtime/start-error.ts';
import type { Binaries } from './binaries.ts';
import { removeDurably, sync, syncTree, writeDurably } from './durable.ts';
import { guard } from './guard.ts';
import { type Home, makePrivateFolder } from './home.ts';
import { ensureSpace } from './space.ts';
import { give } from './who.ts';

/*
 * Making the database: files by `initdb`, then the application's role and database by its superuser. It happens once, under
 * a marker: what a crash leaves beside the marker is half-made, has never held anything of a user, and is made again.
 */

/** The application's role, which is no superuser, and the name of the database it owns. */
export const ROLE = 'aldis';
/** The bootstrap superuser. */
const SUPERUSER = 'postgres';

/** How to reach a database of the server. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/**
 * Whether there is a database at home to be started.
 * @throws {StartError} when there is one of another PostgreSQL, or something that is none.
 */
export function isMade(home: Home, { major }: Binaries): boolean {
  if (fs.existsSync(home.marker) || !fs.existsSync(home.data)) return false;
  const version = path.join(home.data, 'PG_VERSION');
  if (!fs.existsSync(version)) {
    if (fs.readdirSync(home.data).length === 0) return false;
    throw new StartError(
      `${home.data} is no PostgreSQL database and is not empty: move it away, or name another folder in ALDIS_DATA_DIR.`,
    );
  }
  const found = fs.readFileSync(version, 'utf8').trim();
  if (found === major) {
    ensureOwner(home);
    return true;
  }
  throw new StartError(
    `The database in ${home.data} is of PostgreSQL ${found}, this program carries ${major}: start the release that made it, export there and import here, or serve it with a PostgreSQL ${found} of your own and set ALDIS_DATABASE_URL, or name an empty folder in ALDIS_DATA_DIR.`,
  );
}

/**
 * Makes the files of an empty database, in place of any half-made ones. The marker stays until `makeRole` is done.
 * @returns the superuser's password of the moment, which `makeRole` wants.
 */
export async function makeCluster(home: Home, binaries: Binaries, template: string): Promise<string> {
  await ensureSpace(home.root);
  writeDurably(home.marker, '');
  for (const name of fs.readdirSync(home.root)) {
    if (name === 'pg' || name.startsWith('pg.'))
      fs.rmSync(path.join(home.root, name), { recursive: true, force: true });
  }
  writeDurably(home.password, password());
  writeDurably(home.superuserPassword, password(), home.who);

  // Under a name of its own until it is whole: an initdb that outlived its starter cannot write into this one's files.
  const draft = path.join(home.root, `pg.${randomBytes(4).toString('hex')}`);
  const current = home.who.known ? await initdb(draft, home, binaries) : unpack(draft, template, home);
  fs.renameSync(draft, home.data);
  sync(home.root, path.dirname(home.root));
  return current;
}

/** A copy made by root without its owners would be refused by PostgreSQL, in more words. */
function ensureOwner({ who, data }: Home): void {
  if (fs.statSync(data).uid === who.uid) return;
  throw new StartError(
    `The database in ${data} belongs to root, as whom PostgreSQL does not run: give it to its user (chown -R ${who.uid}:${who.gid} ${data}).`,
  );
}

/** Makes the application's role and database on a fresh server, and takes the marker away: from here on the data counts. */
export async function makeRole(home: Home, server: { host: string; port: number }, current: string): Promise<void> {
  const superuser = new pg.Client({ ...server, user: SUPERUSER, password: current, database: SUPERUSER, ssl: false });
  await superuser.connect();
  try {
    const lasting = readPassword(home.superuserPassword);
    // Role statements take no parameters.
    if (current !== lasting) await superuser.query(`alter role ${SUPERUSER} password ${pg.escapeLiteral(lasting)}`);
    await superuser.query(`create role ${ROLE} login password ${pg.escapeLiteral(readPassword(home.password))}`);
    await superuser.query(`create database ${ROLE} owner ${ROLE}`);
  } finally {
    await superuser.end();
  }
  removeDurably(home.marker);
}

/** Reads a password file. */
export function readPassword(file: string): string {
  const text = fs.readFileSync(file, 'utf8').trim();
  if (text) return text;
  throw new StartError(`${file} is empty: without the password in it the embedded database cannot be opened.`);
}

/** Runs `initdb` into a new folder, which it leaves synced. Gives the superuser's password. */
async function initdb(folder: string, home: Home, binaries: Binaries): Promise<string> {
  makePrivateFolder(folder, home.who);
  const said: string[] = [];
  const options = ['-D', folder, '-U', SUPERUSER, '-A', 'scram-sha-256', '--pwfile', home.superuserPassword];
  const format = [
    '-E',
    'UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
  ];
  const rest = ['--no-instructions', '-c', 'dynamic_shared_memory_type=mmap'];
  const run = guard('tool', [binaries.initdb, ...options, ...format, ...rest], {
    who: home.who,
    env: binaries.env,
    cwd: folder,
    onLine: (line) => {
      if (said.length < 20) said.push(line);
    },
  });
  const how = await run.ended;
  if (how !== 'exit 0') throw new StartError(`PostgreSQL's initdb failed in ${home.root} (${how}): ${said.join('; ')}`);
  return readPassword(home.superuserPassword);
}

/**
 * Unpacks a database made beforehand, for a user without an entry in /etc/passwd, for whom `initdb` does not run.
 * @returns the password its superuser has in every copy, until `makeRole` changes it.
 */
function unpack(folder: string, template: string, home: Home): string {
  if (!fs.existsSync(path.join(template, 'pg', 'PG_VERSION'))) {
    throw new StartError(
      `${home.who.name} has no entry in /etc/passwd, and PostgreSQL makes no new database without: add one, start Aldis as a user who has one, make the template ${template} when the image is built, or set ALDIS_DATABASE_URL.`,
    );
  }
  fs.cpSync(path.join(template, 'pg'), folder, { recursive: true });
  makePrivate(folder, home);
  syncTree(folder);
  return readPassword(path.join(template, 'superuser-password'));
}

/** PostgreSQL refuses a data folder that others can open. */
function makePrivate(folder: string, home: Home): void {
  fs.chmodSync(folder, 0o700);
  give(home.who, folder);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) makePrivate(at, home);
    else {
      fs.chmodSync(at, 0o600);
      give(home.who, at);
    }
  }
}

function password(): string {
  return `${randomBytes(24).toString('base64url')}\n`;
}
