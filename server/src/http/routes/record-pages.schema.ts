import Type, { type Static, type TSchema } from 'typebox';
import { Reference } from '../schemas.ts';

/** What lists of an operator's records have in common. */
export const closed = { additionalProperties: false };

/** A page of a list, the newest first. */
export const PAGE = {
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
  cursor: Type.Optional(Type.String({ description: 'The next_cursor of the page before.' })),
};

/** Which tenant is meant: in query or body. */
export const TENANT = {
  tenant_id: Type.Optional(
    Reference(
      "The tenant, by own or external id; an operator's key may name any. Absent: X-Tenant-Id, else the key's own.",
    ),
  ),
};

export const TenantHeader = Type.Object({
  'x-tenant-id': Type.Optional(Type.String({ description: 'The same as tenant_id.', maxLength: 128 })),
});

/** The same, or null: what was given is taken away. */
export function orNull<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T> | null>({ ...schema, type: ['type' in schema ? schema.type : 'string', 'null'] });
}

/** `{"NOUN": […], "next_cursor": …}` */
export function pageOf<const N extends string, T extends TSchema>(noun: N, item: T, id: string) {
  return Type.Object(
    {
      [noun]: Type.Array(item),
      next_cursor: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Null at the end.' }),
    } as Record<N, Type.TArray<T>> & { next_cursor: Type.TUnsafe<string | null> },
    { $id: id },
  );
}

export const DeletedAnswer = Type.Object({ id: Type.String(), deleted: Type.Boolean() }, { $id: 'Deleted' });
