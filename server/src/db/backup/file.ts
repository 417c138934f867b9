import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { StartError } from '../../runtime/start-error.ts';
import { type BackupRecord, FORMAT, type Header, type Rows, type TableEnd } from './record.ts';

/** Characters of the longest line that is read: above what one fetch of the largest rows makes. */
const LONGEST_LINE = 2 ** 28;

/**
 * Makes a backup file of the records that `fill` gives. It has its name only when it is whole and on disk; only its owner
 * may read it (mode 600).
 */
export async function writeBackupFile<T>(
  path: string,
  fill: (write: (record: BackupRecord) => Promise<void>) => Promise<T>,
): Promise<T> {
  const draft = `${path}.part`;
  // Beyond this, files hardly get smaller and backups take twice as long.
  const gzip = createGzip({ level: 3 });
  const written = pipeline(gzip, createWriteStream(draft, { mode: 0o600, flush: true }));
  // Told where it is waited for, whichever of the two ends first.
  written.catch(() => {});
  try {
    const result = await fill(async (record) => {
      if (gzip.write(`${JSON.stringify(record)}\n`)) return;
      const drained = Promise.withResolvers<void>();
      gzip.once('drain', drained.resolve);
      await Promise.race([drained.promise, written]);
    });
    gzip.end();
    await written;
    await rename(draft, path);
    await syncFolder(dirname(path));
    return result;
  } catch (error) {
    gzip.destroy();
    await written.catch(() => {});
    await rm(draft, { force: true });
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a backup holds, checked as it is read. */
export type Checked =
  | { kind: 'header'; header: Header }
  | { kind: 'rows'; table: string; rows: readonly string[] }
  | { kind: 'end'; table: string; count: number };

/**
 * Reads a backup from its beginning, at most a few megabytes in memory. What was given is only to be trusted when the last
 * record has come without an error.
 * @throws {StartError} when the file is none, was cut off or changed.
 */
export async function* readBackupFile(path: string): AsyncGenerator<Checked, void> {
  const records = readRecords(path);
  const first = await records.next();
  const header = first.done ? undefined : asHeader(first.value, path);
  if (!header) throw noBackup(path);
  yield { kind: 'header', header };
  let total = 0;
  for (const { name } of header.tables) {
    const hash = createHash('sha256');
    let count = 0;
    for (;;) {
      const next = await records.next();
      if (next.done) throw damaged(path, `it ends within the table ${name}`);
      if (isRows(next.value)) {
        for (const row of next.value.rows) hash.update(row).update('\n');
        count += next.value.rows.length;
        yield { kind: 'rows', table: name, rows: next.value.rows };
        continue;
      }
      if (!isEndOf(next.value, name)) throw damaged(path, `the table ${name} does not end where it should`);
      if (next.value.count !== count || next.value.sha256 !== hash.digest('hex')) {
        throw damaged(path, `the rows of the table ${name} are not those that were written`);
      }
      break;
    }
    yield { kind: 'end', table: name, count };
    total += count;
  }
  const last = await records.next();
  if (last.done || !isObject(last.value) || last.value['complete'] !== true || last.value['count'] !== total) {
    throw damaged(path, 'its end is missing');
  }
  if (!(await records.next()).done) throw damaged(path, 'something follows its end');
}

async function* readRecords(path: string): AsyncGenerator<unknown, void> {
  if (!(await stat(path)).isFile()) throw new StartError(`${path} is no file`);
  const source = createReadStream(path);
  const gunzip = createGunzip();
  // An error of the file ends the reading below as well.
  source.on('error', (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  try {
    for await (const line of linesOf(gunzip.setEncoding('utf8'), path)) yield parse(line, path);
  } catch (error) {
    throw isZlibError(error) ? (source.bytesRead < 512 ? noBackup(path) : damaged(path, error.message)) : error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function* linesOf(stream: Readable, path: string): AsyncGenerator<string, void> {
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = chunk.split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      yield pieces.join('') + line;
      pieces = [];
      length = 0;
    }
    pieces.push(rest);
    length += rest.length;
    if (length > LONGEST_LINE) throw damaged(path, 'a line is longer than any that Aldis writes');
  }
  if (length > 0) throw damaged(path, 'its last line does not end');
}

function parse(line: string, path: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw damaged(path, 'a line is no JSON');
  }
}

function asHeader(value: unknown, path: string): Header | undefined {
  if (!isObject(value) || value['aldis_backup'] === undefined) return undefined;
  if (value['aldis_backup'] !== FORMAT) {
    throw new StartError(
      `${path} is a backup in a format that this program does not know: restore it with the Aldis that made it, or a newer one`,
    );
  }
  const { tables, sequences, migration, next_transaction: next } = value;
  const whole =
    Array.isArray(tables) && Array.isArray(sequences) && Number.isInteger(migration) && /^\d+$/.test(String(next));
  if (!whole) throw damaged(path, 'its first line lacks something');
  // Written by this program in this format; what it says of tables is held against the database before it is used.
  return value as unknown as Header;
}

function isRows(value: unknown): value is Rows {
  return isObject(value) && Array.isArray(value['rows']) && value['rows'].every((row) => typeof row === 'string');
}

function isEndOf(value: unknown, table: string): value is TableEnd {
  return isObject(value) && value['end'] === table;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

function noBackup(path: string): StartError {
  return new StartError(`${path} is no backup that aldis backup made`);
}

function damaged(path: string, why: string): StartError {
  return new StartError(`${path} is damaged (${why}): nothing was restored; use another copy`);
}
