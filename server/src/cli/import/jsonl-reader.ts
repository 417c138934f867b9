import { isObject, type JsonObject } from '../answers.ts';
import { usageError } from '../exit-codes.ts';
import type { CsvFile, CsvRecord } from './csv-reader.ts';
import { type Line, LONGEST_LINE, readLines } from './lines.ts';
import type { Source } from './source.ts';

/** Files of which each line is a JSON document, as `mongoexport` writes them. */
export function isJsonLines(path: string): boolean {
  return /\.(jsonl|ndjson|json)$/i.test(path);
}

/** A file's documents as rows, and how many were left out because they are sent already. */
export interface JsonLinesFile extends CsvFile {
  readonly alreadySent: number;
}

/** What the addressee is called in dumps; the first that the documents have becomes `to`. */
const ADDRESSEE = ['to', 'phone', 'recipient_phone', 'phoneNumber', 'phone_number', 'recipient'];

/**
 * Opens a file of JSON documents, one a line, in MongoDB's extended JSON or plain. The columns are the fields of the first
 * document, the addressee's called `to`. A document whose `status` is `sent` is left out and counted; one without a status or
 * with `unsent` is a row; any other status makes a row that is refused, for nobody knows what it means.
 * @throws {CliError} `usage` when the first line is no document
 */
export async function openJsonLines(source: Source): Promise<JsonLinesFile> {
  const columns = await columnsOf(source);
  let alreadySent = 0;
  async function* records(): AsyncGenerator<CsvRecord, void> {
    for await (const line of filledLines(source)) {
      const record = readDocument(line, columns);
      if (record === 'sent') alreadySent++;
      else yield record;
    }
  }
  return {
    delimiter: ',',
    header: columns.map(({ header }) => header),
    records: records(),
    get alreadySent() {
      return alreadySent;
    },
  };
}

interface Column {
  /** As the document has it. */
  field: string;
  header: string;
}

async function columnsOf(source: Source): Promise<Column[]> {
  for await (const line of filledLines(source)) {
    const where = `${source.path}, line ${line.number}`;
    const first = line.text === null ? null : parse(line.text);
    if (Array.isArray(first) || line.text?.trimStart().startsWith('[')) {
      throw usageError(`${where}: it is an array; export one document a line (mongoexport without --jsonArray)`);
    }
    if (!isObject(first)) throw usageError(`${where}: it is no JSON document; write one a line`);
    const fields = Object.keys(first);
    const addressee = ADDRESSEE.find((name) => fields.includes(name));
    return fields.map((field) => ({ field, header: field === addressee ? 'to' : field }));
  }
  throw usageError(`${source.path} is empty`);
}

async function* filledLines({ path, encoding }: Source): AsyncGenerator<Line, void> {
  for await (const line of readLines(path, encoding)) {
    if (line.text === null || line.text.trim() !== '') yield line;
  }
}

function readDocument({ number, text }: Line, columns: readonly Column[]): CsvRecord | 'sent' {
  const refused = (reason: string): CsvRecord => ({ kind: 'unreadable', line: number, reason });
  if (text === null) return refused(`the line has more than ${LONGEST_LINE} characters`);
  const value = parse(text);
  if (!isObject(value)) return refused('the line is no JSON document');
  const status = value['status'];
  if (typeof status === 'string' && status.toLowerCase() === 'sent') return 'sent';
  if (status !== undefined && status !== null && !(typeof status === 'string' && status.toLowerCase() === 'unsent')) {
    return refused(`the status ${JSON.stringify(status).slice(0, 40)} is neither "unsent" nor "sent"`);
  }
  return { kind: 'row', line: number, fields: columns.map(({ field }) => plain(value[field])) };
}

/** A value as text. MongoDB writes what JSON has no type for as an object of one key that begins with a dollar sign. */
function plain(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (!isObject(value)) return typeof value === 'string' ? value : JSON.stringify(value);
  const typed = ['$oid', '$numberInt', '$numberLong', '$numberDouble', '$numberDecimal'].find((key) => key in value);
  if (typed !== undefined) return String(value[typed]);
  return '$date' in value ? date(value) : JSON.stringify(value);
}

/** `{"$date": "2024-…Z"}`, or milliseconds since 1970 as a number or `{"$numberLong": "…"}`. */
function date({ $date }: JsonObject): string {
  const time = new Date(
    isObject($date) ? Number($date['$numberLong']) : typeof $date === 'number' ? $date : String($date),
  );
  return Number.isNaN(time.getTime()) ? JSON.stringify($date) : time.toISOString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
