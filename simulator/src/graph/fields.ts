import type { JsonObject } from '../json.ts';
import { json, type Reply } from '../reply.ts';
import { graphError } from './errors.ts';

/** A node's fields, or why they cannot be shown. */
export type Picked = { fields: JsonObject } | { problem: Reply };

/** The fields asked for by `?fields=`, else the usual ones, always with `id`. What in `all` is undefined is left out. */
export function pickFields(all: JsonObject, query: URLSearchParams, usual: readonly string[], type: string): Picked {
  const asked = query.get('fields')?.split(',') ?? usual;
  const fields: JsonObject = {};
  for (const name of asked.map((one) => one.trim())) {
    if (name === '' || name === 'id') continue;
    if (!Object.hasOwn(all, name)) {
      return { problem: graphError(`(#100) Tried accessing nonexisting field (${name}) on node type (${type})`) };
    }
    fields[name] = all[name];
  }
  return { fields: { ...fields, id: all.id } };
}

/** One node by itself. */
export function node(picked: Picked): Reply {
  return 'problem' in picked ? picked.problem : json(picked.fields);
}
