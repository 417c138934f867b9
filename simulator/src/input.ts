import { isList, isObject, type JsonObject, typeName } from './json.ts';

/** A control request that says something impossible. `field` names what to change. Answered with 400. */
export class BadInput extends Error {
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
    this.name = 'BadInput';
    this.field = field;
  }
}

/** The value as an object that has no field besides `known`. Throws BadInput. `at` is where it stands in the request. */
export function fieldsOf(value: unknown, known: readonly string[], at = ''): JsonObject {
  if (!isObject(value)) throw new BadInput(at || 'body', `must be a JSON object, got ${typeName(value)}`);
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new BadInput(at + name, `unknown field; known ones are ${known.join(', ')}`);
  }
  return value;
}

export interface TextRule {
  at?: string;
  pattern?: RegExp;
  /** What the pattern means, in words: "digits only". */
  meaning?: string;
  max?: number;
}

/** A non-empty string field, or undefined when it is absent. Throws BadInput. */
export function optionalText(fields: JsonObject, name: string, rule: TextRule = {}): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const at = (rule.at ?? '') + name;
  if (typeof value !== 'string') throw new BadInput(at, `must be a string, got ${typeName(value)}`);
  if (value === '') throw new BadInput(at, 'must not be empty');
  const max = rule.max ?? 4096;
  if (value.length > max) throw new BadInput(at, `must have at most ${max} characters, has ${value.length}`);
  if (rule.pattern && !rule.pattern.test(value)) {
    throw new BadInput(at, `must be ${rule.meaning ?? `of the form ${rule.pattern.source}`}, got "${value}"`);
  }
  return value;
}

/** A non-empty string field. Throws BadInput. */
export function requiredText(fields: JsonObject, name: string, rule: TextRule = {}): string {
  const value = optionalText(fields, name, rule);
  if (value === undefined) throw new BadInput((rule.at ?? '') + name, 'is missing');
  return value;
}

/** One of the given words, or undefined when absent. Throws BadInput. */
export function optionalWord<W extends string>(
  fields: JsonObject,
  name: string,
  words: readonly W[],
  at = '',
): W | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) {
    throw new BadInput(at + name, `must be one of ${words.join(', ')}, got ${JSON.stringify(value)}`);
  }
  return word;
}

export interface NumberRule {
  min: number;
  max: number;
  /** Whether fractions are allowed. */
  fraction?: boolean;
  at?: string;
}

/** A number within bounds, or undefined when absent. Throws BadInput. */
export function optionalNumber(fields: JsonObject, name: string, rule: NumberRule): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  const fits =
    typeof value === 'number' &&
    value >= rule.min &&
    value <= rule.max &&
    (rule.fraction === true || Number.isInteger(value));
  if (fits) return value;
  const kind = rule.fraction === true ? 'a number' : 'a whole number';
  throw new BadInput(
    (rule.at ?? '') + name,
    `must be ${kind} from ${rule.min} to ${rule.max}, got ${JSON.stringify(value)}`,
  );
}

/** A boolean, or undefined when absent. Throws BadInput. */
export function optionalBoolean(fields: JsonObject, name: string, at = ''): boolean | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new BadInput(at + name, `must be true or false, got ${typeName(value)}`);
  return value;
}

/** A list, or undefined when absent. Throws BadInput. */
export function optionalList(fields: JsonObject, name: string, max: number, at = ''): readonly unknown[] | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (!isList(value)) throw new BadInput(at + name, `must be a list, got ${typeName(value)}`);
  if (value.length > max) throw new BadInput(at + name, `must have at most ${max} items, has ${value.length}`);
  return value;
}

/** A list of non-empty strings, or undefined when absent. Throws BadInput. */
export function optionalTexts(fields: JsonObject, name: string, max: number): readonly string[] | undefined {
  return optionalList(fields, name, max)?.map((item, index) =>
    requiredText({ [index]: item }, `${index}`, { at: `${name}.` }),
  );
}

/** A whole number of a query string, or `fallback` when absent. Throws BadInput. */
export function queryNumber(query: URLSearchParams, name: string, rule: NumberRule, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : text;
  return optionalNumber({ [name]: value }, name, rule) ?? fallback;
}
