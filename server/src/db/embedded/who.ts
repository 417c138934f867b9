import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { StartError } from '../../runtime/start-error.ts';

/**
 * Who runs PostgreSQL. It refuses to run as root, so root steps down: to the owner of the data when there is some, else
 * to `postgres`, else to `nobody`. Anybody else runs it as they are.
 */
export interface Who {
  readonly uid: number;
  readonly gid: number;
  /** For messages: `postgres`, or `user 1234` when the system has no name for it. */
  readonly name: string;
  /** Whether /etc/passwd knows the user. `initdb` insists on it, the server does not. */
  readonly known: boolean;
  /** Whether we are root and step down. */
  readonly stepsDown: boolean;
}

/**
 * Decides who runs the server on the data at `data` (which need not exist).
 * @throws {StartError} when the data belongs to somebody we are not, or root finds nobody to step down to.
 */
export function chooseWho(data: string): Who {
  const us = ourselves();
  const owner = fs.statSync(data, { throwIfNoEntry: false });
  if (us.uid === 0) {
    if (owner && owner.uid !== 0) return { ...nameOf(owner.uid), uid: owner.uid, gid: owner.gid, stepsDown: true };
    const user = users().find(({ name }) => name === 'postgres') ?? users().find(({ name }) => name === 'nobody');
    if (user) return { ...user, known: true, stepsDown: true };
    throw new StartError(
      'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it: add one, start Aldis as another user, or set ALDIS_DATABASE_URL.',
    );
  }
  if (owner && owner.uid !== us.uid) {
    throw new StartError(
      `The database in ${data} belongs to ${nameOf(owner.uid).name}: start Aldis as that user (or as root), or name another folder in ALDIS_DATA_DIR.`,
    );
  }
  return us;
}

/** Whoever runs this program. */
export function ourselves(): Who {
  const uid = process.getuid?.() ?? -1;
  const gid = process.getgid?.() ?? -1;
  return { ...nameOf(uid), uid, gid, stepsDown: false };
}

/** The options of `spawn` that make a child run as `who`. Node drops root's other groups along with the uid. */
export function as(who: Who): { uid?: number; gid?: number } {
  return who.stepsDown ? { uid: who.uid, gid: who.gid } : {};
}

/** Gives a file or folder of ours to whoever runs the server. */
export function give(to: Who, file: string): void {
  if (to.stepsDown) fs.chownSync(file, to.uid, to.gid);
}

/**
 * The first folder on the way to `folder` (and it too, when it exists) that `who` may not pass, or undefined. Asked of
 * the system as that user, not computed from modes: access lists and mounts have their say.
 */
export function firstClosed(who: Who, folder: string): string | undefined {
  if (!who.stepsDown) return undefined;
  const way: string[] = [];
  for (let at = folder; ; at = path.dirname(at)) {
    if (fs.existsSync(at)) way.unshift(at);
    if (at === path.dirname(at)) break;
  }
  const script = 'for d; do [ -x "$d" ] || { printf %s "$d"; exit 1; }; done';
  const { stdout } = spawnSync('/bin/sh', ['-c', script, 'sh', ...way], { ...as(who), cwd: '/', encoding: 'utf8' });
  return stdout || undefined;
}

function nameOf(uid: number): { name: string; known: boolean } {
  const user = users().find((each) => each.uid === uid);
  if (user) return { name: user.name, known: true };
  try {
    // Users that do not stand in the file: a directory service, macOS.
    const { username } = uid === process.getuid?.() ? os.userInfo() : { username: '' };
    if (username) return { name: username, known: true };
  } catch {
    // No entry anywhere: `docker run --user 1234`.
  }
  return { name: `user ${uid}`, known: false };
}

function users(): { name: string; uid: number; gid: number }[] {
  let passwd: string;
  try {
    passwd = fs.readFileSync('/etc/passwd', 'utf8');
  } catch {
    return [];
  }
  return passwd.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
