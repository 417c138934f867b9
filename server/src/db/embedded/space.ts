import { statfs } from 'node:fs/promises';
import { StartError } from '../../runtime/start-error.ts';

/**
 * Free bytes below which no new work should be accepted: PostgreSQL meets a full disk with clean errors and loses
 * nothing, but what is under way needs room to end.
 */
export const SPACE_RESERVE = 200 * 1024 * 1024;

/** Free bytes on the disk that holds `folder`, as those see it who are not root (the server is not). */
export async function freeSpace(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Checks that the disk which holds `folder` has more than `reserve` bytes free.
 * @param free bytes, when they are known
 * @throws {StartError} naming the folder, what is free and what is needed.
 */
export async function ensureSpace(folder: string, reserve: number = SPACE_RESERVE, free?: number): Promise<void> {
  free ??= await freeSpace(folder);
  if (free > reserve) return;
  throw new StartError(
    `The disk that holds ${folder} has ${mebibytes(free)} free and Aldis needs ${mebibytes(reserve)}: make room, or name a folder on another disk in ALDIS_DATA_DIR.`,
  );
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024)} MiB`;
}
