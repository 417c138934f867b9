import type { CsvRecord } from './csv-reader.ts';
import type { Mapped } from './row-mapper.ts';
import type { MessageRow } from './uploader.ts';

export type RefusedRow = Extract<Mapped, { kind: 'refused' }>;

/** Rows that stand together in the file: those to ask for, and those refused here. */
export interface Chunk {
  /** From 0. */
  index: number;
  rows: MessageRow[];
  refused: RefusedRow[];
  /** The line of its last row. */
  lastLine: number;
}

/**
 * Cuts a file into chunks of `size` rows. A chunk is a place in the file and not so many good rows: if another version
 * of this program refuses a row more, the chunks behind it stay the same, and so do their keys.
 */
export async function* chunksOf(
  records: AsyncIterable<CsvRecord>,
  map: (record: CsvRecord) => Mapped,
  size: number,
): AsyncGenerator<Chunk> {
  let chunk: Chunk = { index: 0, rows: [], refused: [], lastLine: 0 };
  for await (const record of records) {
    const mapped = map(record);
    if (mapped.kind === 'message') chunk.rows.push(mapped);
    else chunk.refused.push(mapped);
    chunk.lastLine = mapped.line;
    if (chunk.rows.length + chunk.refused.length < size) continue;
    yield chunk;
    chunk = { index: chunk.index + 1, rows: [], refused: [], lastLine: mapped.line };
  }
  if (chunk.rows.length + chunk.refused.length > 0) yield chunk;
}
