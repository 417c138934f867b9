import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { EmbeddedLog } from './log.ts';
import { freeSpace, SPACE_RESERVE } from './space.ts';

/*
 * PostgreSQL ends when its log cannot grow, and cannot recover before there is room: on a disk that is wholly full nothing could even
 * be read. So a file of some size lies beside the database, and is removed when the disk is full: two files of the log have room then,
 * which last for hours while nothing new is accepted. With room it is made again.
 */

/** Bytes: two files of PostgreSQL's log. */
export const BALLAST = 32 * 1024 * 1024;
/** Free bytes below which a disk is full: one file of the log. */
const FULL = 16 * 1024 * 1024;
const NAME = 'ballast';
const PART = Buffer.alloc(1024 * 1024);

/**
 * Looks at the disk of `folder`, and removes or makes the ballast there. To be called again and again, one call at a time.
 * @param full free bytes below which it is given away
 * @returns free bytes before that.
 */
export async function adjustBallast(folder: string, log: EmbeddedLog, full: number = FULL): Promise<number> {
  const file = path.join(folder, NAME);
  const free = await freeSpace(folder);
  if (free < full) {
    const had = await stat(file).catch(() => null);
    if (had !== null) {
      await rm(file, { force: true });
      log.error(`The disk that holds ${folder} is full: what was kept for that (${NAME}) is the database's now`);
    }
  } else if (free > SPACE_RESERVE + BALLAST && (await stat(file).catch(() => null)) === null) {
    await make(file);
  }
  return free;
}

/** Written, for a file that is only made longer takes no room. */
async function make(file: string): Promise<void> {
  const draft = `${file}.part`;
  const handle = await open(draft, 'w', 0o600);
  try {
    for (let size = 0; size < BALLAST; size += PART.length) await handle.write(PART);
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
