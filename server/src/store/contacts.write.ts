import { jsons, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ContactId, TenantId } from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';
import type { AddressKind } from '../domain/phone.ts';

/** A name that a person is found by. */
export interface Address {
  kind: AddressKind;
  value: string;
}

// Looked up one by one: as a join it may be planned as a walk over all the tenant's addresses for each.
const findByAddress = {
  name: 'contacts_find_by_address',
  text: `
select (select c.contact_id from contact_identities c
  where c.tenant_id = $1 and c.kind = i.kind and c.value = i.value) as contact_id
from unnest($2::text[], $3::text[]) with ordinality as i(kind, value, place) order by i.place`,
};

/** The contacts that have these addresses, in the order asked. null: nobody has it. */
export async function findContactsByAddress(
  tx: Queryable,
  tenant: TenantId,
  addresses: readonly Address[],
): Promise<(ContactId | null)[]> {
  const rows = await tx.query<{ contact_id: ContactId | null }>(findByAddress, [
    tenant,
    texts(addresses, (a) => a.kind),
    texts(addresses, (a) => a.value),
  ]);
  return rows.map(({ contact_id }) => contact_id);
}

/** What can be written of a contact. */
export interface ContactValues {
  external_id: string | null;
  name: string | null;
  language: string | null;
  attributes: Readonly<Record<string, unknown>>;
}

const insertMany = {
  name: 'contacts_insert',
  text: `
insert into contacts (tenant_id, id, external_id, name, language, attributes)
select $1, i.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
  as i(id, external_id, name, language, attributes)`,
};

/** Makes contacts, without addresses. @throws on `contacts_external` when another has the external id. */
export async function insertContacts(
  tx: Queryable,
  tenant: TenantId,
  contacts: readonly (ContactValues & { id: ContactId })[],
): Promise<void> {
  await tx.query(insertMany, [
    tenant,
    uuids(contacts, (c) => c.id),
    texts(contacts, (c) => c.external_id),
    texts(contacts, (c) => c.name),
    texts(contacts, (c) => c.language),
    jsons(contacts, (c) => jsonText(c.attributes)),
  ]);
}

const insertIdentities = {
  name: 'contacts_insert_identities',
  text: `
insert into contact_identities (tenant_id, kind, value, contact_id, suppressed)
select $1, i.kind, i.value, i.contact_id, (
  select (case when c.marketing_consent = 'out' then 1 else 0 end) | (case when c.contact_consent = 'out' then 2 else 0 end)
  from contacts c where c.tenant_id = $1 and c.id = i.contact_id)
from unnest($2::text[], $3::text[], $4::uuid[]) as i(kind, value, contact_id)`,
};

/**
 * Gives contacts addresses, which are suppressed as their contact is. Of a contact that is there the same transaction writes
 * the row, so that consent that is written at the same moment conflicts with it.
 * @throws a unique violation when somebody has the address.
 */
export async function insertContactAddresses(
  tx: Queryable,
  tenant: TenantId,
  addresses: readonly (Address & { contact: ContactId })[],
): Promise<void> {
  await tx.query(insertIdentities, [
    tenant,
    texts(addresses, (a) => a.kind),
    texts(addresses, (a) => a.value),
    uuids(addresses, (a) => a.contact),
  ]);
}

const updateOne = {
  name: 'contacts_update',
  text: `
update contacts set external_id = $3, name = $4, language = $5, attributes = $6::jsonb, updated_at = now()
where tenant_id = $1 and id = $2`,
};

/** Writes all that can be written of a contact. @throws on `contacts_external` when another has the external id. */
export async function updateContact(
  tx: Queryable,
  tenant: TenantId,
  id: ContactId,
  { external_id, name, language, attributes }: ContactValues,
): Promise<void> {
  await tx.query(updateOne, [tenant, id, external_id, name, language, jsonText(attributes)]);
}
