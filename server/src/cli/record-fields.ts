import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { isObject, type JsonObject } from './answers.ts';
import { argumentPath } from './argument-path.ts';
import { usageError } from './exit-codes.ts';
import { numberBetween } from './parse-number.ts';

/** A field of a record as an option: `monthly_quota` is `--monthly-quota <N>`. */
export interface RecordField {
  name: string;
  /** What stands for its value in the help. A field that is a `FILE` is read from one: an option is seen by whoever lists processes. */
  value: string;
  about: string;
  /** Whether the word "none" takes away what was given. */
  orNone?: boolean;
  /** Whether the command cannot do without it. */
  mandatory?: boolean;
  parse: (text: string) => unknown;
}

/** What "none" is read as: of null, commander would make an empty string. */
const NONE = Symbol('none');

/** Adds an option for each field. */
export function withFields(command: Command, fields: readonly RecordField[]): Command {
  for (const field of fields) {
    const { orNone = false, about, parse } = field;
    const read = (text: string) => (orNone && text === 'none' ? NONE : parse(text));
    const option = new Option(`${flagOf(field)} <${field.value}>`, orNone ? `${about}; none takes it away` : about);
    command.addOption(option.argParser(read).makeOptionMandatory(field.mandatory ?? false));
  }
  return command;
}

/** The body that the options make; what was not given is absent. Files are read here. */
export async function bodyOf(
  fields: readonly RecordField[],
  options: Readonly<Record<string, unknown>>,
): Promise<JsonObject> {
  const body: Record<string, unknown> = {};
  for (const field of fields) {
    const value = options[new Option(`${flagOf(field)} <x>`).attributeName()];
    if (value === NONE) body[field.name] = null;
    else if (field.value === FILE && typeof value === 'string') body[field.name] = await readSecret(value);
    else if (value !== undefined) body[field.name] = value;
  }
  return body;
}

const FILE = 'FILE';

function flagOf({ name, value }: RecordField): string {
  return `--${name.replaceAll('_', '-')}${value === FILE ? '-file' : ''}`;
}

/** A field that takes text. */
export function textField(name: string, value: string, about: string, { orNone = false } = {}): RecordField {
  return { name, value, about, orNone, parse: (text) => text };
}

/** A field that takes a whole number, or "none" for what the configuration says. */
export function countField(name: string, least: number, most: number, about: string): RecordField {
  return { name, value: 'N', about, orNone: true, parse: numberBetween(least, most, true) };
}

export function yesNoField(name: string, about: string): RecordField {
  return { name, value: 'yes|no', about, parse: parseYesNo };
}

/** A field that is read from a file, or with `-` from standard input. */
export function secretField(name: string, about: string): RecordField {
  return { name, value: FILE, about: `${about}; - is standard input`, parse: (path) => path };
}

/** These fields, of which those that are named have to be given. */
export function mandatory(fields: readonly RecordField[], ...names: readonly string[]): RecordField[] {
  return fields.map((field) => (names.includes(field.name) ? { ...field, mandatory: true } : field));
}

/** A field that takes an object in JSON. */
export function jsonField(name: string, about: string): RecordField {
  return { name, value: 'JSON', about, parse: parseObject };
}

function parseYesNo(text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new InvalidArgumentError('Write yes or no.');
  return text === 'yes';
}

function parseObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError('Write an object in JSON.');
}

async function readSecret(path: string): Promise<string> {
  const secret = (path === '-' ? await readStream(process.stdin) : await readFile(argumentPath(path), 'utf8')).trim();
  if (secret === '') throw usageError(`${path === '-' ? 'standard input' : path} is empty`);
  return secret;
}
