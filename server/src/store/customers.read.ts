import { texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ContactId, ConversationId, MessageId, SenderId, TenantId } from '../domain/ids.ts';

/** Who is called what. `kind` bsuid: a business-scoped user id. */
export interface Name {
  tenant: TenantId;
  kind: 'phone' | 'bsuid';
  value: string;
  /** To whose portfolio the id is scoped. Absent: that is not known, or it is no such id. */
  scope?: SenderId;
}

const findKnown = {
  name: 'customers_find_known',
  text: `
select i.place::int as place, w.message_id as repeated_id, u.contact_id as user_contact, p.contact_id as phone_contact,
  p.left_at is not null as phone_left,
  (select v.id from conversations v where v.tenant_id = i.tenant_id and v.sender_id = i.sender_id
    and v.contact_id = coalesce(u.contact_id, p.contact_id)) as conversation_id
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[]) with ordinality
  as i(tenant_id, sender_id, phone, user_id, wamid, place)
left join contact_identities p on p.tenant_id = i.tenant_id and p.kind = 'phone' and p.value = i.phone
left join contact_identities u on u.tenant_id = i.tenant_id and u.kind = 'bsuid' and u.value = i.user_id
left join wamids w on w.tenant_id = i.tenant_id and w.wamid = i.wamid
order by i.place`,
};

/** What the store knows of a message and of who wrote it. */
export interface KnownCustomer {
  /** 1-based place in the question. */
  place: number;
  /** The message is stored already. */
  repeated_id: MessageId | null;
  user_contact: ContactId | null;
  phone_contact: ContactId | null;
  /** Nobody is called by that number any more, as far as we were told. */
  phone_left: boolean;
  /** Of the contact by user id, else by number. */
  conversation_id: ConversationId | null;
}

/** Looks up customers by business-scoped user id and by phone number, and whether their messages were stored before. */
export function findKnownCustomers(
  tx: Queryable,
  asked: readonly {
    tenant: TenantId;
    sender: SenderId;
    phone: string | null;
    userId: string | null;
    wamid: string;
  }[],
): Promise<KnownCustomer[]> {
  return tx.query<KnownCustomer>(findKnown, [
    uuids(asked, (a) => a.tenant),
    uuids(asked, (a) => a.sender),
    texts(asked, (a) => a.phone),
    texts(asked, (a) => a.userId),
    texts(asked, (a) => a.wamid),
  ]);
}

const findNames = {
  name: 'customers_find_names',
  text: `
select n.tenant_id, n.kind, n.value, n.contact_id, n.left_at, c.last_message_at
from unnest($1::uuid[], $2::text[], $3::text[]) as i(tenant_id, kind, value)
join contact_identities n on n.tenant_id = i.tenant_id and n.kind = i.kind and n.value = i.value
join contacts c on c.tenant_id = n.tenant_id and c.id = n.contact_id`,
};

/** Whose name it is. */
export interface KnownName {
  tenant_id: TenantId;
  kind: 'phone' | 'bsuid';
  value: string;
  contact_id: ContactId;
  /** Since when it is the contact's no more. */
  left_at: Date | null;
  /** When the contact last wrote. */
  last_message_at: Date | null;
}

/** Whose names these are; those that nobody has are left out. */
export function findCustomerNames(tx: Queryable, names: readonly Name[]): Promise<KnownName[]> {
  return tx.query<KnownName>(findNames, [
    uuids(names, (n) => n.tenant),
    texts(names, (n) => n.kind),
    texts(names, (n) => n.value),
  ]);
}

const findConversations = {
  name: 'customers_find_conversations',
  text: `
select i.place::int as place, v.id
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) with ordinality as i(tenant_id, contact_id, sender_id, place)
join conversations v on v.tenant_id = i.tenant_id and v.contact_id = i.contact_id and v.sender_id = i.sender_id`,
};

/** The conversations of contacts with senders; `place` is the 1-based place in the question. */
export function findCustomerConversations(
  tx: Queryable,
  asked: readonly { tenant: TenantId; contact: ContactId; sender: SenderId }[],
): Promise<{ place: number; id: ConversationId }[]> {
  return tx.query<{ place: number; id: ConversationId }>(findConversations, [
    uuids(asked, (a) => a.tenant),
    uuids(asked, (a) => a.contact),
    uuids(asked, (a) => a.sender),
  ]);
}

const findScoped = {
  name: 'customers_find_scoped',
  text: `
select i.place::int as place
from unnest($1::uuid[], $2::uuid[], $3::uuid[]) with ordinality as i(tenant_id, contact_id, sender_id, place)
join senders s on s.tenant_id = i.tenant_id and s.id = i.sender_id
where exists (select from contact_identities n where n.tenant_id = i.tenant_id and n.contact_id = i.contact_id
  and n.lane_id = s.lane_id and n.left_at is null)`,
};

/** Which of these contacts have a business-scoped user id of the sender's portfolio: their 1-based places in the question. */
export async function findScopedContacts(
  tx: Queryable,
  asked: readonly { tenant: TenantId; contact: ContactId; sender: SenderId }[],
): Promise<number[]> {
  const rows = await tx.query<{ place: number }>(findScoped, [
    uuids(asked, (a) => a.tenant),
    uuids(asked, (a) => a.contact),
    uuids(asked, (a) => a.sender),
  ]);
  return rows.map((row) => row.place);
}
