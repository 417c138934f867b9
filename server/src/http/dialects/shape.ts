import { camelNames } from './spelling.ts';

/**
 * What a schema says of the names in a value: which are ours, so that only they are spelled otherwise. What a schema leaves
 * open (metadata, variables, the components of a template) is the user's, and is passed on as it is.
 */
export interface Shape {
  /** Our names in any camelCase way, each with ours. */
  readonly canonical: ReadonlyMap<string, string>;
  /** Our names, each with the shape of what stands there; of arrays the shape of an item. Null: passed on as it is. */
  readonly parts: ReadonlyMap<string, Shape | null>;
}

/** Finds a schema by its `$id`. */
export type FindSchema = (id: string) => unknown;

/** The shape that a JSON schema gives a value, or null when it names no properties. */
export function shapeOf(schema: unknown, find: FindSchema): Shape | null {
  const parts = new Map<string, Shape | null>();
  for (const [name, part] of propertiesOf(schema, find)) parts.set(name, shapeOf(part, find));
  if (parts.size === 0) return null;
  const canonical = new Map<string, string>();
  for (const name of parts.keys()) for (const other of camelNames(name)) canonical.set(other, name);
  return { canonical, parts };
}

/** The properties of a value, of an array's items, of every alternative. */
export function propertiesOf(schema: unknown, find: FindSchema): Map<string, unknown> {
  const found = new Map<string, unknown>();
  if (!isObject(schema)) return found;
  const { $ref, properties, items } = schema;
  const within = [items, typeof $ref === 'string' ? find($ref.replace(/#$/, '')) : undefined];
  for (const list of [schema['anyOf'], schema['oneOf'], schema['allOf']]) {
    if (Array.isArray(list)) for (const part of list as unknown[]) within.push(part);
  }
  if (isObject(properties)) for (const [name, part] of Object.entries(properties)) found.set(name, part);
  for (const part of within) {
    for (const [name, one] of propertiesOf(part, find)) if (!found.has(name)) found.set(name, one);
  }
  return found;
}

/** Whether this is an object with names of its own: neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
