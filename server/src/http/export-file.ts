import { type ExportFormat, exportPartKey } from '../domain/export.ts';
import type { TenantId } from '../domain/ids.ts';
import type { ObjectStore, StoredObject } from '../domain/object-store.ts';
import type { ExportPart } from '../store/exports.read.ts';

export interface ExportFile {
  tenant: TenantId;
  id: string;
  format: ExportFormat;
  parts: readonly ExportPart[];
}

/** Bytes, both included. */
interface Range {
  start: number;
  end: number;
}

/** A stretch of one part. */
interface Stretch {
  key: string;
  range: Range;
}

/**
 * The bytes of an export, its parts one behind the other. The first of them is opened before anything is answered.
 * @returns null when it is gone.
 */
export async function openExportFile(
  store: Pick<ObjectStore, 'get'>,
  file: ExportFile,
  range: Range,
): Promise<AsyncIterable<Uint8Array> | null> {
  const [first, ...others] = stretchesOf(file, range);
  if (first === undefined) return nothing();
  const opened = await store.get(first.key, first.range);
  return opened === null ? null : follow(store, opened, others);
}

async function* follow(
  store: Pick<ObjectStore, 'get'>,
  first: StoredObject,
  others: readonly Stretch[],
): AsyncGenerator<Uint8Array> {
  yield* first.bytes;
  for (const { key, range } of others) {
    const next = await store.get(key, range);
    // The head of the answer has said how long it is: it is cut off, so that nobody takes it for the whole.
    if (next === null) throw new Error(`${key}: a part of an export is gone`);
    yield* next.bytes;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function stretchesOf({ tenant, id, format, parts }: ExportFile, { start, end }: Range): Stretch[] {
  const stretches: Stretch[] = [];
  let before = 0;
  for (const { part, hold, size } of parts) {
    const range = { start: Math.max(0, start - before), end: Math.min(size - 1, end - before) };
    if (range.start <= range.end) stretches.push({ key: exportPartKey(tenant, id, part, hold, format), range });
    before += size;
  }
  return stretches;
}
