import type { Queryable } from '../db/pool.ts';
import { type ContactId, type ConversationId, isUuid, type SenderId, type TenantId } from '../domain/ids.ts';
import { ofKey } from './one-key.ts';

const findId = {
  name: 'contacts_find_id',
  text: `
select id from contacts where tenant_id = $1 and (id = $2 or external_id = $3)
order by (id = $2) is true desc limit 1`,
};

/** The contact with this own or external id; an own id goes before. */
export async function findContactId(tx: Queryable, tenant: TenantId, reference: string): Promise<ContactId | null> {
  const [row] = await tx.query<{ id: ContactId }>(findId, [tenant, isUuid(reference) ? reference : null, reference]);
  return row?.id ?? null;
}

const findConversationIdStatement = {
  name: 'conversations_find_id',
  text: `
select id from conversations where tenant_id = $1 and (id = $2 or external_id = $3)
order by (id = $2) is true desc limit 1`,
};

/** The conversation with this own or external id; an own id goes before. */
export async function findConversationId(
  tx: Queryable,
  tenant: TenantId,
  reference: string,
): Promise<ConversationId | null> {
  const values = [tenant, isUuid(reference) ? reference : null, reference];
  const [row] = await tx.query<{ id: ConversationId }>(findConversationIdStatement, values);
  return row?.id ?? null;
}

const inOne = ofKey({ 'm.conversation_id': 'v.id' }, 'm.id');

const findOneConversation = {
  name: 'conversations_find',
  text: `
select v.id, v.type, v.sender_id, v.contact_id, v.closed_at, (select nullif(m.address, '') from messages m
  where m.tenant_id = $1 and ${inOne.all} order by ${inOne.newestFirst} limit 1) as address
from conversations v where v.tenant_id = $1 and v.id = coalesce(
  (select o.id from conversations o where o.tenant_id = $1 and o.id = $2),
  (select e.id from conversations e where e.tenant_id = $1 and e.external_id = $3))`,
};

/** A conversation with a customer, and the address that its last message went to or came from. null: it has no message. */
export interface ConversationRow {
  id: ConversationId;
  type: 'customer';
  sender_id: SenderId;
  contact_id: ContactId;
  closed_at: Date | null;
  address: string | null;
}

/** A conversation between users. */
export interface UsersConversationRow {
  id: ConversationId;
  type: 'direct' | 'group';
  sender_id: null;
  contact_id: null;
  closed_at: Date | null;
  address: null;
}

/** The conversation with this own or external id; an own id goes before. */
export async function findConversation(
  tx: Queryable,
  tenant: TenantId,
  reference: string,
): Promise<ConversationRow | UsersConversationRow | null> {
  const values = [tenant, isUuid(reference) ? reference : null, reference];
  const [row] = await tx.query<ConversationRow | UsersConversationRow>(findOneConversation, values);
  return row ?? null;
}

const findOnly = {
  name: 'conversations_find_only',
  text: 'select id from conversations where tenant_id = $1 and contact_id = $2 and ($3::uuid is null or sender_id = $3) limit 2',
};

/** The conversation of a contact, with one sender or (null) with any; null: there is none, or more than one. */
export async function findOnlyConversation(
  tx: Queryable,
  tenant: TenantId,
  contact: ContactId,
  sender: SenderId | null,
): Promise<ConversationId | null> {
  const [one, other] = await tx.query<{ id: ConversationId }>(findOnly, [tenant, contact, sender]);
  return one && !other ? one.id : null;
}

const findAddressStatement = {
  name: 'contacts_find_address',
  text: `
select value as address from contact_identities
where tenant_id = $1 and contact_id = $2 and left_at is null and kind in ('phone', 'bsuid')
order by kind = 'phone' desc, value limit 1`,
};

/** Where a contact is reached to whom nothing was sent yet: his phone number, else his business-scoped user id. */
export async function findAddress(tx: Queryable, tenant: TenantId, contact: ContactId): Promise<string | null> {
  const [row] = await tx.query<{ address: string }>(findAddressStatement, [tenant, contact]);
  return row?.address ?? null;
}

const findValues = {
  name: 'contacts_find_values',
  text: `
select i.value as address, c.name, c.attributes from contact_identities i
join contacts c on c.tenant_id = i.tenant_id and c.id = i.contact_id
where i.tenant_id = $1 and i.value = any ($2::text[]) and i.kind in ('phone', 'bsuid')`,
};

/** What is known of the contacts with these addresses that can stand in a text: their attributes and their name. */
export async function findContactValues(
  tx: Queryable,
  tenant: TenantId,
  addresses: readonly string[],
): Promise<Map<string, Record<string, string | number>>> {
  const rows = await tx.query<{ address: string; name: string | null; attributes: Record<string, unknown> }>(
    findValues,
    [tenant, addresses],
  );
  return new Map(rows.map(({ address, name, attributes }) => [address, sayable({ name, ...attributes })]));
}

function sayable(attributes: Record<string, unknown>): Record<string, string | number> {
  const values: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string' || typeof value === 'number') values[name] = value;
  }
  return values;
}
