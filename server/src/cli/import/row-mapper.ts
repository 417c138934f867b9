import type { CountryCode } from 'libphonenumber-js/min';
import { readAddress } from '../address.ts';
import type { JsonObject } from '../answers.ts';
import { usageError } from '../exit-codes.ts';
import { composeBody, type MessageShape } from '../message-options.ts';
import type { CsvRecord } from './csv-reader.ts';
import { FirstLines } from './first-lines.ts';

/** What a row becomes: a message to ask for, or a refusal with its reason. */
export type Mapped =
  | { kind: 'message'; line: number; fields: string[]; body: JsonObject }
  | { kind: 'refused'; line: number; fields: string[]; error: string; reason: string };

export interface MapperOptions {
  header: readonly string[];
  /** The addressee's column, or null to find it by its name. */
  phoneColumn: string | null;
  shape: MessageShape;
  /** Values for names that a row has no value for. */
  constants: ReadonlyMap<string, string>;
  defaultCountry: CountryCode | null;
  allowDuplicates: boolean;
  /** Goes with each message, beside its line, so that a failure later can be traced to the file. */
  importId: string;
}

const PHONE_COLUMNS = ['phone', 'to', 'recipient_phone'];

/**
 * Makes the function that turns rows into messages. It remembers the addressees it has seen, so it must see every row
 * once and in order.
 * @throws {CliError} `usage` when the columns do not fit the message: before anything is sent
 */
export function createRowMapper(options: MapperOptions): (record: CsvRecord) => Mapped {
  const { header, shape, constants } = options;
  const phone = findPhoneColumn(header, options.phoneColumn);
  const columns = findColumns(header, constants, [...shape.textNames, ...shape.componentNames]);
  const first = options.allowDuplicates ? null : new FirstLines();

  return (record) => {
    if (record.kind === 'unreadable') {
      return { kind: 'refused', line: record.line, fields: [], error: 'unreadable_row', reason: record.reason };
    }
    const { line } = record;
    const fields = record.fields.map(unmarked);
    const refuse = (error: string, reason: string): Mapped => ({ kind: 'refused', line, fields, error, reason });
    const address = readAddress(fields[phone] ?? '', options.defaultCountry);
    if (address.kind === 'refused') return refuse('invalid_phone', address.reason);
    const value = (name: string) => {
      const column = columns.get(name);
      const cell = column === undefined ? '' : (fields[column]?.trim() ?? '');
      return cell === '' ? constants.get(name) : cell;
    };
    const composed = composeBody(shape, address.value, value, { import: options.importId, line });
    if (composed.kind === 'missing') {
      return refuse('missing_variables', `no value for ${composed.names.map((name) => `{${name}}`).join(', ')}`);
    }
    const before = first?.seenBefore(address.value, line) ?? null;
    if (before !== null) return refuse('duplicate', `${address.value} stands in line ${before} already`);
    return { kind: 'message', line, fields, body: composed.body };
  };
}

/**
 * A cell without the apostrophe that spreadsheets, and our own exports, put before what would else be a formula: `'+628…`.
 * @see rowWriter of jobs/export-rows.ts
 */
function unmarked(cell: string): string {
  return /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}

function findPhoneColumn(header: readonly string[], wanted: string | null): number {
  const names = header.map(normalise);
  if (wanted !== null) {
    const index = header.includes(wanted) ? header.indexOf(wanted) : names.indexOf(normalise(wanted));
    if (index === -1) throw usageError(`--phone-column ${wanted}: there is no such column; there are: ${list(header)}`);
    return index;
  }
  const found = names.flatMap((name, index) => (PHONE_COLUMNS.includes(name) ? [index] : []));
  const [only] = found;
  if (only === undefined) {
    throw usageError(
      `no column is called phone, to or recipient_phone; say which with --phone-column: ${list(header)}`,
    );
  }
  if (found.length > 1) {
    throw usageError(
      `several columns could be the addressee; say which with --phone-column: ${list(found.map((index) => header[index] ?? ''))}`,
    );
  }
  return only;
}

/** The column of each name that the message uses: spelt the same, or the same but for case and spaces. */
function findColumns(header: readonly string[], constants: ReadonlyMap<string, string>, used: readonly string[]) {
  const names = header.map(normalise);
  const columns = new Map<string, number>();
  const unknown: string[] = [];
  for (const name of new Set(used)) {
    const index = header.includes(name) ? header.indexOf(name) : names.indexOf(normalise(name));
    if (index !== -1) columns.set(name, index);
    else if (!constants.has(name)) unknown.push(`{${name}}`);
  }
  if (unknown.length > 0) {
    throw usageError(
      `the message uses ${unknown.join(', ')}, which is no column; there are: ${list(header)}; or give --var`,
    );
  }
  return columns;
}

function normalise(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_');
}

function list(names: readonly string[]): string {
  return names.filter((name) => name !== '').join(', ');
}
