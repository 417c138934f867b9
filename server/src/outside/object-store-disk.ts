import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkedKey } from '../domain/object-key.ts';
import type { ObjectStore } from '../domain/object-store.ts';

/** Where objects lie while they are written: of the same file system, so that a rename is all that is left to do. */
const UNFINISHED = '.unfinished';
/** A file of `UNFINISHED` that nobody has written to for so long is an orphan of a crash. Milliseconds. */
const ORPHANED_AFTER = 3_600_000;

/**
 * Objects as files of one folder, which is made when it is missing. An object is written under another name, flushed, renamed,
 * and its folder flushed: after a power cut it is whole or not there. What crashes left half written is removed at the start.
 * @throws when the folder cannot be made or written to.
 */
export async function openDiskStore(folder: string): Promise<ObjectStore> {
  const unfinished = join(folder, UNFINISHED);
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await removeOrphans(unfinished);

  return {
    async put(key, bytes) {
      const place = join(folder, checkedKey(key));
      const draft = join(unfinished, randomUUID());
      try {
        const file = await open(draft, 'wx', 0o600);
        let size: number;
        try {
          size = await writeAll(file, bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        const made = await mkdir(dirname(place), { recursive: true, mode: 0o700 });
        await rename(draft, place);
        await flushFolders(dirname(place), made ?? place);
        return { size };
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },

    async get(key, range) {
      const file = await open(join(folder, checkedKey(key)), 'r').catch(nullWhenMissing);
      if (file === null) return null;
      try {
        const { size } = await file.stat();
        // Closes the file when it was read, or when its reader leaves.
        return { size, bytes: createReadStream('', { fd: file, ...range }) };
      } catch (error) {
        await file.close();
        throw error;
      }
    },

    async remove(key) {
      await unlink(join(folder, checkedKey(key))).catch(nullWhenMissing);
    },

    async close() {},
  };
}

async function writeAll(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of bytes) {
    for (let written = 0; written < chunk.length; ) {
      written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
    }
    size += chunk.length;
  }
  return size;
}

/** Makes the names in a folder durable, and those of the folders above it up to the one that `made` stands in. */
async function flushFolders(folder: string, made: string): Promise<void> {
  const last = dirname(made);
  for (let at = folder; ; at = dirname(at)) {
    const handle = await open(at, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (at === last || at === dirname(at)) return;
  }
}

async function removeOrphans(unfinished: string): Promise<void> {
  const before = Date.now() - ORPHANED_AFTER;
  for (const name of await readdir(unfinished)) {
    const found = await stat(join(unfinished, name)).catch(nullWhenMissing);
    if (found !== null && found.mtimeMs < before) await rm(join(unfinished, name), { force: true });
  }
}

function nullWhenMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
