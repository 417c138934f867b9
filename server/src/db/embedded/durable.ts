import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/*
 * Files that are still there after a power cut. PostgreSQL syncs its own; ours (a password, a marker, a link) are ours to
 * sync, each file and the folder that names it. Everything here runs at start, before there is anything else to do, so it
 * is synchronous.
 */

/** Makes the files and folders named survive a power cut: for a folder, the names in it. */
export function sync(...paths: readonly string[]): void {
  for (const each of paths) {
    const handle = fs.openSync(each, 'r');
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  }
}

/** Syncs everything below `folder`, and the folder. Links are names only: their folder carries them. */
export function syncTree(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) syncTree(at);
    else if (entry.isFile()) sync(at);
  }
  sync(folder);
}

/** Writes a file whole or not at all (mode 600), and durably. */
export function writeDurably(file: string, text: string, owner?: { uid: number; gid: number }): void {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  fs.writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
  if (owner) fs.chownSync(draft, owner.uid, owner.gid);
  sync(draft);
  fs.renameSync(draft, file);
  sync(path.dirname(file));
}

/** Removes a file durably: after a power cut it is not back. */
export function removeDurably(file: string): void {
  fs.rmSync(file, { force: true });
  sync(path.dirname(file));
}
