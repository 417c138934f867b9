import { readNameCursor, readPageCursor, writeNameCursor, writePageCursor } from './cursors.ts';

/**
 * A page of a list that walks by id, the newest first: one more than asked for tells whether there is another page.
 * @param list gives rows behind an id, or from the newest on.
 * @throws {AldisError} `invalid_cursor`
 */
export async function recordPage<Row extends { id: string }>(
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  list: (before: string | null, limit: number) => Promise<Row[]>,
): Promise<{ rows: Row[]; next_cursor: string | null }> {
  const found = await list(cursor === undefined ? null : readPageCursor(cursor), limit + 1);
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next_cursor: found.length > limit && last ? writePageCursor(last.id) : null };
}

/**
 * The same for a list in the order of names that people give.
 * @param list gives rows behind a name; '': from the first.
 * @throws {AldisError} `invalid_cursor`
 */
export async function namedPage<Row extends { id: string }>(
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  list: (after: string, limit: number) => Promise<Row[]>,
): Promise<{ rows: Row[]; next_cursor: string | null }> {
  const found = await list(cursor === undefined ? '' : readNameCursor(cursor), limit + 1);
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next_cursor: found.length > limit && last ? writeNameCursor(last.id) : null };
}
