import { readFileSync } from 'node:fs';
import { isObject } from '../src/json.ts';

/** Keys and types of a JSON value, without its values: what a fixture and a real payload must have in common. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (!isObject(value)) return value === null ? 'null' : typeof value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, shapeOf(value[key])]));
}

/** A fixture file: the payload and where it comes from. */
export function fixture(name: string): { source: unknown; date: unknown; payload: unknown } {
  const parsed: unknown = JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'));
  if (!isObject(parsed)) throw new Error(`${name} is no object`);
  return { source: parsed.source, date: parsed.date, payload: parsed.payload };
}
