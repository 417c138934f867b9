import { CsvError, parse } from 'csv-parse/sync';
import { usageError } from '../exit-codes.ts';
import { type Line, LONGEST_LINE, readLines } from './lines.ts';
import type { Source } from './source.ts';

/** A row of the file, or a line that is none. */
export type CsvRecord =
  | { kind: 'row'; line: number; fields: string[] }
  | { kind: 'unreadable'; line: number; reason: string };

export interface CsvFile {
  delimiter: string;
  /** The names of the columns, without white space around them. */
  header: string[];
  /** The rows behind the header, in order. Empty ones are left out. */
  records: AsyncGenerator<CsvRecord, void>;
}

const DELIMITERS = [',', ';', '\t', '|'];

/**
 * Opens a CSV file: reads its header, and gives its rows one by one.
 *
 * A record that cannot be read never takes others with it. A quote that is not closed would swallow the rest of the
 * file; so when a record of several lines turns out wrong, only its first line is refused, and reading goes on with the
 * second. How far a quote may reach is bounded by `LONGEST_LINE`, which bounds memory too.
 * @throws {CliError} `usage` when there is no usable header
 */
export async function openCsv(source: Source): Promise<CsvFile> {
  const lines = new LineQueue(readLines(source.path, source.encoding));
  const first = await lines.nextFilled();
  let delimiter = /^sep=(.)$/i.exec(first?.text ?? '')?.[1] ?? null;
  if (delimiter === null && first) lines.putBack([first]);
  if (delimiter === null) delimiter = likelyDelimiter(first?.text ?? '');
  const head = await nextRecord(lines, delimiter, null);
  if (head === null) throw usageError(`${source.path} is empty`);
  if (head.kind === 'unreadable') throw usageError(`${source.path}, line ${head.line}: ${head.reason}`);
  const header = head.fields.map((name) => name.trim());
  while (header.at(-1) === '') header.pop();
  checkHeader(header, `${source.path}, line ${head.line}`);
  return { delimiter, header, records: rows(lines, delimiter, header.length) };
}

async function* rows(lines: LineQueue, delimiter: string, width: number): AsyncGenerator<CsvRecord, void> {
  for (
    let record = await nextRecord(lines, delimiter, width);
    record;
    record = await nextRecord(lines, delimiter, width)
  ) {
    yield record;
  }
}

/** The next record that is not empty, or null at the end. With a width, its number of fields must be that. */
async function nextRecord(lines: LineQueue, delimiter: string, width: number | null): Promise<CsvRecord | null> {
  for (;;) {
    const first = await lines.nextFilled();
    if (first === null) return null;
    if (first.text === null) {
      return { kind: 'unreadable', line: first.number, reason: `the line has more than ${LONGEST_LINE} characters` };
    }
    const more: Line[] = [];
    const read = await readRecord(first.text, more, lines, delimiter);
    const reason = read.kind === 'broken' ? read.reason : width === null ? null : fitTo(width, read.fields);
    if (reason !== null) {
      lines.putBack(more);
      return { kind: 'unreadable', line: first.number, reason };
    }
    if (read.kind === 'fields' && read.fields.some((field) => field.trim() !== '')) {
      return { kind: 'row', line: first.number, fields: read.fields };
    }
  }
}

type Read = { kind: 'fields'; fields: string[] } | { kind: 'broken'; reason: string };

/** Takes further lines into `more` while a quote is open, that is while the number of quotes is odd; then reads it. */
async function readRecord(text: string, more: Line[], lines: LineQueue, delimiter: string): Promise<Read> {
  if (!text.includes('"')) return { kind: 'fields', fields: text.split(delimiter) };
  let record = text;
  let odd = oddQuotes(text);
  while (odd) {
    const next = await lines.next();
    if (next === null) return broken('a quote is opened and never closed');
    more.push(next);
    if (next.text === null || record.length + next.text.length > LONGEST_LINE) {
      return broken(`a quote is opened and not closed within ${LONGEST_LINE} characters`);
    }
    record += `\n${next.text}`;
    odd = odd !== oddQuotes(next.text);
  }
  try {
    const [fields] = parse(record, { delimiter, relax_column_count: true, record_delimiter: '\u0000' });
    return { kind: 'fields', fields: fields ?? [] };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return broken(
      error.code === 'CSV_INVALID_CLOSING_QUOTE'
        ? 'a closing quote is not followed by the end of its field; write a quote inside a quoted field twice'
        : 'a quote stands inside a field; put the whole field in quotes, and write the inner quote twice',
    );
  }
}

/** Drops empty fields beyond the header's width; says what is wrong if the number of fields still is. */
function fitTo(width: number, fields: string[]): string | null {
  if (fields.length === 1 && fields[0]?.trim() === '') return null;
  while (fields.length > width && fields.at(-1)?.trim() === '') fields.pop();
  return fields.length === width ? null : `the row has ${fields.length} fields, the header has ${width}`;
}

function checkHeader(header: readonly string[], where: string): void {
  const data = header.find((name) => /^\+?[\d\s().-]{7,}$/.test(name));
  if (data !== undefined) {
    throw usageError(
      `${where}: ${JSON.stringify(data)} looks like data; the first line must name the columns: phone,name`,
    );
  }
  const twice = header.find((name, index) => name !== '' && header.indexOf(name) !== index);
  if (twice !== undefined) throw usageError(`${where}: two columns are called ${JSON.stringify(twice)}`);
}

function likelyDelimiter(header: string): string {
  const plain = header.replace(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => plain.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}

function oddQuotes(text: string): boolean {
  let odd = false;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) odd = !odd;
  return odd;
}

function broken(reason: string): Read {
  return { kind: 'broken', reason };
}

/** Lines that can be put back. What is put back at once is at most a record, so memory stays bounded. */
class LineQueue {
  readonly #lines: AsyncGenerator<Line, void>;
  /** The next one last. */
  readonly #again: Line[] = [];

  constructor(lines: AsyncGenerator<Line, void>) {
    this.#lines = lines;
  }

  async next(): Promise<Line | null> {
    const again = this.#again.pop();
    if (again) return again;
    const next = await this.#lines.next();
    return next.done ? null : next.value;
  }

  /** The next line that is not blank. */
  async nextFilled(): Promise<Line | null> {
    let line = await this.next();
    while (line !== null && line.text !== null && line.text.trim() === '') line = await this.next();
    return line;
  }

  putBack(lines: readonly Line[]): void {
    for (const line of lines.toReversed()) this.#again.push(line);
  }
}
