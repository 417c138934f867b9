import type { Queryable } from '../db/pool.ts';
import { type ContactId, type ConversationId, isUuid, type SenderId, type TenantId } from '../domain/ids.ts';

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

const findOneConversation = {
  name: 'conversations_find',
  text: `
select v.id, v.sender_id, v.contact_id, (select nullif(m.address, '') from messages m
  where m.tenant_id = $1 and m.conversation_id = v.id order by m.id desc limit 1) as address
from conversations v where v.tenant_id = $1 and v.id = coalesce(
  (select o.id from conversations o where o.tenant_id = $1 and o.id = $2),
  (select e.id from conversations e where e.tenant_id = $1 and e.external_id = $3))`,
};

/** A conversation, and the address that its last message went to or came from. null: it has no message. */
export interface ConversationRow {
  id: ConversationId;
  sender_id: SenderId;
  contact_id: ContactId;
  address: string | null;
}

/** The conversation with this own or external id; an own id goes before. */
export async function findConversation(
  tx: Queryable,
  tenant: TenantId,
  reference: string,
): Promise<ConversationRow | null> {
  const values = [tenant, isUuid(reference) ? reference : null, reference];
  const [row] = await tx.query<ConversationRow>(findOneConversation, values);
  return row ?? null;
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
