import { AldisError } from '../errors.ts';
import { stringFlaw } from '../opaque.ts';

/** Reading what a request says in parts whose shape is the provider's: each flaw names the path of the field and the limit. */

/** The error for a field whose value cannot be accepted. `flaw` goes on after the path: `must be …`. */
export function invalid(path: string, flaw: string, limit?: number): AldisError {
  const details = limit === undefined ? {} : { details: { limit } };
  return new AldisError('invalid_field', `${path} ${flaw}.`, { field: path, ...details });
}

/** The error for a field that is not there. `why` goes on after it: `is required for …`. */
export function missing(path: string, why = 'is required'): AldisError {
  return new AldisError('missing_field', `${path} ${why}.`, { field: path });
}

/** A string as it is. @throws {AldisError} `invalid_field` for what the database cannot hold. */
export function checkString(path: string, value: string): string {
  const flaw = stringFlaw(value);
  if (flaw) throw invalid(path, flaw);
  return value;
}

/** @throws {AldisError} `invalid_field` for more than `most` characters. */
export function checkLength(path: string, value: string, most: number): void {
  // Code units first: they are never fewer than characters, and counting characters walks the string.
  if (value.length <= most) return;
  const characters = [...value].length;
  if (characters > most) throw invalid(path, `must be at most ${most} characters, but has ${characters}`, most);
}

/** A value as an object that has no other names than these. */
export function objectAt(path: string, value: unknown, names: readonly string[]): Record<string, unknown> {
  const object = openObjectAt(path, value);
  const other = Object.keys(object).find((name) => !names.includes(name));
  if (other === undefined) return object;
  const field = `${path}.${other}`;
  throw new AldisError('unknown_field', `${field} is not a field of this request; ${path} has ${names.join(', ')}.`, {
    field,
  });
}

/** A value as an object of any names. */
export function openObjectAt(path: string, value: unknown): Record<string, unknown> {
  if (value === undefined) throw missing(path);
  if (!isObject(value)) throw invalid(path, 'must be an object');
  return value;
}

/** A value as a list of `least` to `most` things. */
export function listAt(path: string, value: unknown, least: number, most: number): readonly unknown[] {
  if (value === undefined) throw missing(path);
  if (!Array.isArray(value)) throw invalid(path, 'must be an array');
  const list: readonly unknown[] = value;
  if (list.length < least) throw invalid(path, `must have at least ${least}, but has ${list.length}`, least);
  if (list.length > most) throw invalid(path, `must have at most ${most}, but has ${list.length}`, most);
  return list;
}

/** A value as a string that says something, of at most `most` characters. */
export function stringAt(path: string, value: unknown, most: number): string {
  if (value === undefined) throw missing(path);
  if (typeof value !== 'string') throw invalid(path, 'must be a string');
  if (value.trim() === '') throw invalid(path, 'must not be empty');
  checkLength(path, value, most);
  return checkString(path, value);
}

/** The same, where it may be absent. */
export function optionalStringAt(path: string, value: unknown, most: number): void {
  if (value !== undefined) stringAt(path, value, most);
}

/** A value as one of several words. */
export function wordAt<const W extends string>(path: string, value: unknown, words: readonly W[]): W {
  if (value === undefined) throw missing(path);
  const word = words.find((one) => one === value);
  if (word === undefined) throw invalid(path, `must be ${words.length === 1 ? '' : 'one of '}${words.join(', ')}`);
  return word;
}

/** Holds that no two of a message's parts have the same value. @param seen the values that were there before. */
export function checkUnique(path: string, value: string, seen: Set<string>): void {
  if (seen.has(value)) throw invalid(path, 'must be unique in the message');
  seen.add(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
