import Type, { type Static, type TSchema } from 'typebox';
import { STATES, type State } from '../domain/message.ts';

/** Pieces that the schemas of several routes are made of. */

/** A time: given as a Date, written in ISO 8601, UTC, with milliseconds. */
export const Time = Type.Unsafe<Date>({ type: 'string', format: 'date-time' });
export const NullableTime = Type.Unsafe<Date | null>({ type: ['string', 'null'], format: 'date-time' });
export const NullableString = Type.Unsafe<string | null>({ type: ['string', 'null'] });
/** JSON that is passed on as it is. */
export const NullableJson = Type.Unsafe<object | null>({ type: ['object', 'null'], additionalProperties: true });

/** One of several words, written as an enum: clearer to read than a union, and to the validator too. */
export function words<const W extends readonly string[]>(list: W, options: { description?: string } = {}) {
  return Type.Unsafe<W[number]>({ type: 'string', enum: [...list], ...options });
}

export const StateWord = words(STATES, { description: 'The true state.' });
export const StatusWord = words(['queued', 'sent', 'delivered', 'read', 'failed'], {
  description: 'The documented word for the state.',
});

/** How many are in each state; every state is named. */
export const CountByState = Type.Unsafe<Record<State, number>>({
  type: 'object',
  properties: Object.fromEntries(STATES.map((state) => [state, { type: 'integer' }])),
  required: [...STATES],
});

/** An id made here or outside: up to 128 characters that can be seen. */
export const Reference = (description: string) =>
  Type.String({ minLength: 1, maxLength: 128, pattern: '^\\P{Cc}+$', description });

/** A field that may be left out, and may be null as well, which says the same. `withoutNulls` makes it absent. */
export function orNull<T extends TSchema>(schema: T) {
  const { type } = schema as { type?: string | string[] };
  return Type.Optional(Type.Unsafe<Static<T> | null>({ ...schema, type: [type, 'null'].flat() }));
}

/** What stays of a request's fields where null says the same as leaving one out. */
export type WithoutNulls<T> = { [K in keyof T]: Exclude<T[K], null> };

/** A request without its fields that are null. What lies deeper stays as it is. */
export function withoutNulls<T extends object>(request: T): WithoutNulls<T> {
  const there: Partial<T> = {};
  for (const name of Object.keys(request) as (keyof T)[]) if (request[name] !== null) there[name] = request[name];
  return there as WithoutNulls<T>;
}

/** A part that others refer to by its `$id`, so that it stands once in the document. */
export function reference<T extends TSchema>(schema: T & { $id?: string }) {
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id ?? ''}#` });
}

export const ErrorSchema = Type.Object(
  {
    error: Type.String({ description: 'The code, as docs/errors.md lists them.' }),
    code: Type.String({ description: 'The same in capitals.' }),
    message: Type.String({ description: 'What happened, for people.' }),
    details: NullableJson,
    request_id: Type.String(),
  },
  { $id: 'Error' },
);

/** The errors that every route may answer. */
export const ERRORS_OF_ROUTES = { '4xx': reference(ErrorSchema), '5xx': reference(ErrorSchema) };

/** The path parameter of routes on one record. Any string: what is no id of ours is not found. */
export const IdParameter = Type.Object({ id: Type.String({ description: 'The id that was given when it was made.' }) });

/** For routes that take no query or no body: what is sent all the same is refused like any field that is not known. */
export const NO_QUERY = Type.Object({}, { additionalProperties: false });
export const NO_BODY = Type.Unsafe<object | null>({
  type: ['object', 'null'],
  properties: {},
  additionalProperties: false,
});
