import { createWriteStream, existsSync } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { CliError, EXIT, usageError } from './exit-codes.ts';
import type { Output } from './output.ts';

/** Tries in a row that brought nothing. */
const MOST_TRIES = 20;
const LONGEST_PAUSE = 5000;

/** What is downloaded, and where to. */
export interface Download {
  id: string;
  file: string;
  /** Whether a file that is there may be replaced. */
  replace: boolean;
}

/** @throws {CliError} `usage` when the file is there and may not be replaced, or its folder is not there. */
export function checkTarget({ file, replace }: Pick<Download, 'file' | 'replace'>): void {
  if (!existsSync(dirname(file))) throw usageError(`${file} cannot be written: its folder is not there`);
  if (existsSync(file) && !replace) throw usageError(`${file} exists: name another file, or give --replace`);
}

/**
 * Fetches the file of a complete export. It lies beside its place under a name with the export's id until it is whole: what is
 * there of it already, from this run or one before, is not fetched again.
 * @returns its size in bytes.
 */
export async function downloadExport(client: Client, { id, file }: Download, output: Output): Promise<number> {
  const draft = `${file}.${id}.part`;
  for (let tries = 1; ; tries++) {
    const before = await sizeOf(draft);
    try {
      const size = await fetchRest(client, id, draft, before);
      await flush(draft);
      await rename(draft, file);
      return size;
    } catch (error) {
      const passing = !(error instanceof CliError) || error.exitCode === EXIT.unreachable;
      if (!passing || isAbort(error) || isFileError(error)) throw error;
      if ((await sizeOf(draft)) > before) tries = 1;
      if (tries >= MOST_TRIES) throw error;
      const why = error instanceof Error ? error.message : String(error);
      output.note(`aldis: ${why}; the download goes on in a moment`);
      await sleep(Math.min(100 * 2 ** tries, LONGEST_PAUSE));
    }
  }
}

/** @returns the size of the whole. */
async function fetchRest(client: Client, id: string, draft: string, from: number): Promise<number> {
  const path = `/api/v1/exports/${encodeURIComponent(id)}/download`;
  // One byte that is there already is asked for once more: with all of them there no range would be left.
  const start = Math.max(0, from - 1);
  const headers: Record<string, string> = from > 0 ? { range: `bytes=${start}-`, 'if-range': `"${id}"` } : {};
  const response = await client.open(path, headers);
  const at = response.status === 206 ? start : 0;
  const size = at + Number(response.headers.get('content-length') ?? Number.NaN);
  const into = createWriteStream(draft, { flags: at > 0 ? 'r+' : 'w', start: at });
  await pipeline(response.body ?? [], into);
  if ((await sizeOf(draft)) !== size) throw new Error('connection cut');
  return size;
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}
