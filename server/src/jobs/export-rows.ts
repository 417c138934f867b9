import { stringify } from 'csv-stringify/sync';
import type { ExportFormat } from '../domain/export.ts';

/** How rows are written. `head` comes first in the file, once. */
export interface RowWriter {
  head: string;
  write(rows: readonly object[]): string;
}

const BYTE_ORDER_MARK = '\ufeff';

/**
 * Where a spreadsheet that parts cells by semicolons, as it does in every country that writes 1,5, would see a formula begin within
 * what is one cell here.
 */
const WITHIN = /(?:[;\n]|(?<!^)[\t\r])(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;

/**
 * CSV (RFC 4180, but lines end in LF): a column for each field of the record, JSON as its text, times as ISO 8601. A text that a
 * spreadsheet would take for a formula (= + - @, a tab or a carriage return first, or = + - @ behind a semicolon, a tab or the end of
 * a line) gets an apostrophe before it, phone numbers too; in JSON such a semicolon is written as its code. JSON Lines: a record a line, as the API shows it.
 * @param columns the fields, in order.
 * @param bom begin with a byte order mark, by which some spreadsheets know UTF-8. In CSV only.
 */
export function rowWriter(format: ExportFormat, columns: readonly string[], bom: boolean): RowWriter {
  if (format === 'jsonl') {
    const line = (row: object) =>
      JSON.stringify(Object.fromEntries(columns.map((field) => [field, valueOf(row, field)])));
    return { head: '', write: (rows) => rows.map((row) => `${line(row)}\n`).join('') };
  }
  const written = (rows: string[][]) => stringify(rows, { escape_formulas: true });
  return {
    head: `${bom ? BYTE_ORDER_MARK : ''}${written([[...columns]])}`,
    write: (rows) => written(rows.map((row) => columns.map((column) => cell(valueOf(row, column))))),
  };
}

function valueOf(row: object, column: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[column];
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value.replace(WITHIN, "$&'");
  if (value instanceof Date) return value.toISOString();
  // The text stays what it was to whoever reads the JSON. Tabs and ends of lines have no other form in it.
  return JSON.stringify(value).replace(WITHIN, '\\u003b');
}
