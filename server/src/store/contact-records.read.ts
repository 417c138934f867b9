import type { Queryable } from '../db/pool.ts';
import type { ConsentState } from '../domain/consent.ts';
import {
  type ContactId,
  type ConversationId,
  isReference,
  isUuid,
  type SenderId,
  type TenantId,
} from '../domain/ids.ts';
import type { AddressKind } from '../domain/phone.ts';

/** A contact with all that is known of it. */
export interface ContactRecord {
  id: ContactId;
  external_id: string | null;
  /** What the tenant calls him. */
  name: string | null;
  /** What he calls himself on WhatsApp. */
  profile_name: string | null;
  username: string | null;
  language: string | null;
  attributes: Record<string, unknown>;
  /** Those that are his first, and of these phone numbers first. `left_at`: since when it is his no more. */
  identities: { kind: AddressKind; value: string; left_at: string | null }[];
  unread_count: number;
  total_messages: number;
  last_message_at: Date | null;
  /** null in both: never said. */
  marketing_consent: ConsentState | null;
  contact_consent: ConsentState | null;
  created_at: Date;
  updated_at: Date | null;
}

const COLUMNS = `
c.id, c.external_id, c.name, c.profile_name, c.username, c.language, c.attributes, c.total_messages, c.last_message_at,
c.marketing_consent, c.contact_consent, c.created_at, c.updated_at,
(select coalesce(sum(v.unread_count), 0)::int from conversations v
  where v.tenant_id = c.tenant_id and v.contact_id = c.id) as unread_count,
(select coalesce(jsonb_agg(jsonb_build_object('kind', i.kind, 'value', i.value, 'left_at', i.left_at)
    order by i.left_at is not null, i.kind desc, i.value), '[]')
  from contact_identities i where i.tenant_id = c.tenant_id and i.contact_id = c.id) as identities`;

const findOne = {
  name: 'contact_records_find',
  text: `
select ${COLUMNS} from contacts c
where c.tenant_id = $1 and (c.id = $2 or c.external_id = $3)
order by (c.id = $2) is true desc limit 1`,
};

/** The contact with this own or external id; an own id goes before. */
export async function findContactRecord(
  tx: Queryable,
  tenant: TenantId,
  reference: string,
): Promise<ContactRecord | null> {
  if (!isReference(reference)) return null;
  const id = isUuid(reference) ? reference : null;
  const [row] = await tx.query<ContactRecord>(findOne, [tenant, id, reference]);
  return row ?? null;
}

/** Which contacts a list is of. Absent: all of them. */
export interface ContactFilter {
  /** By what finds one at most; more than one of them have to mean the same. */
  phone?: string | undefined;
  user_id?: string | undefined;
  external_id?: string | undefined;
  /** What the name, or else the profile's name, begins with, whatever the case. */
  name?: string | undefined;
  marketing_consent?: ConsentState | undefined;
  contact_consent?: ConsentState | undefined;
  attribute?: { name: string; value: string } | undefined;
}

/** Most rows that are looked at for one page. */
const WALKED = 5_000;
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** $1 tenant, $2 below this id. */
const WALK_ALL = `
  select * from contacts where tenant_id = $1 and id < $2 order by id desc limit ${WALKED}`;

/** What is named finds one contact at most. $3 phone, $4 user id, $5 external id. */
const WALK_ONE = `
  select * from contacts where tenant_id = $1 and id < $2 and id = coalesce(
    (select contact_id from contact_identities where tenant_id = $1 and kind = 'phone' and value = $3),
    (select contact_id from contact_identities where tenant_id = $1 and kind = 'bsuid' and value = $4),
    (select id from contacts where tenant_id = $1 and external_id = $5))`;

const HAS = (kind: string, parameter: string) => `
  (${parameter}::text is null or exists (select from contact_identities i
    where i.tenant_id = $1 and i.kind = '${kind}' and i.value = ${parameter} and i.contact_id = w.id))`;

const MATCHES = `
  ${HAS('phone', '$3')} and ${HAS('bsuid', '$4')} and ($5::text is null or w.external_id = $5)
  and ($6::text is null or starts_with(lower(coalesce(w.name, w.profile_name)), lower($6)))
  and ($7::text is null or w.marketing_consent = $7) and ($8::text is null or w.contact_consent = $8)
  and ($9::text is null or w.attributes ->> $9 = $10)`;

// As the lists of messages: the page is cut before anything is joined, and asked how far it came only when it is not full.
const list = (name: string, walk: string) => ({
  name,
  text: `
with page as (
  select w.* from (${walk}) w where ${MATCHES} order by w.id desc limit $11
), walked as (
  select case when (select count(*) from page) < $11
    then (select w.id from (${walk}) w order by w.id desc offset ${WALKED - 1} limit 1) end as walked_to
)
select walked_to, p.* from walked left join (select ${COLUMNS} from page c) p on true order by p.id desc`,
});
const listAll = list('contact_records_list', WALK_ALL);
const listOne = list('contact_records_list_one', WALK_ONE);

type PageRow = { walked_to: ContactId | null } & (ContactRecord | { id: null });

/**
 * The contacts that match, the newest first, at most `limit` of them. A page may be short, and even empty, and still have a
 * next one: no more than 5,000 rows are looked at for it.
 * @param before the `next` of the page before; null: at the newest.
 */
export async function listContacts(
  tx: Queryable,
  tenant: TenantId,
  filter: ContactFilter,
  before: string | null,
  limit: number,
): Promise<{ contacts: ContactRecord[]; next: ContactId | null }> {
  const { phone, user_id, external_id, name, marketing_consent, contact_consent, attribute } = filter;
  const one = [phone, user_id, external_id].some((value) => value !== undefined);
  const rows = await tx.query<PageRow>(one ? listOne : listAll, [
    tenant,
    before ?? LAST_ID,
    phone ?? null,
    user_id ?? null,
    external_id ?? null,
    name ?? null,
    marketing_consent ?? null,
    contact_consent ?? null,
    attribute?.name ?? null,
    attribute?.value ?? null,
    limit + 1,
  ]);
  const contacts = rows.filter((row) => row.id !== null);
  if (contacts.length <= limit) return { contacts, next: rows[0]?.walked_to ?? null };
  contacts.length = limit;
  return { contacts, next: contacts[limit - 1]?.id ?? null };
}

/** A contact's conversation with one sender. */
export interface ContactConversation {
  id: ConversationId;
  external_id: string | null;
  sender_id: SenderId;
  unread_count: number;
  last_inbound_at: Date | null;
  /** Until when free text is taken; null: nothing was heard of him yet. */
  window_expires_at: Date | null;
  created_at: Date;
}

// One for each number at most. (`offset 0` keeps the planner from walking over the tenant's conversations to find them in order.)
const listConversations = {
  name: 'contact_records_conversations',
  text: `
select id, external_id, sender_id, unread_count, last_inbound_at, window_expires_at, created_at
from (select * from conversations where tenant_id = $1 and contact_id = $2 and id < coalesce($3, '${LAST_ID}'::uuid) offset 0) v
order by id desc limit $4`,
};

/** The conversations of a contact, the newest first. @param before a page begins behind this one; null: at the newest. */
export function listContactConversations(
  tx: Queryable,
  tenant: TenantId,
  contact: ContactId,
  before: string | null,
  limit: number,
): Promise<ContactConversation[]> {
  return tx.query<ContactConversation>(listConversations, [tenant, contact, before, limit]);
}
