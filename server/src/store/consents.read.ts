import type { Queryable } from '../db/pool.ts';
import type { ConsentKeywords, ConsentScope, ConsentSource, ConsentState } from '../domain/consent.ts';
import type { ContactId, MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { ofKey } from './one-key.ts';

/** A customer's word on whether he wants to be written to, as it is kept. */
export interface ConsentRow {
  id: string;
  contact_id: ContactId;
  scope: ConsentScope;
  state: ConsentState;
  source: ConsentSource;
  detail: string | null;
  message_id: MessageId | null;
  /** When it was said; when it was written, the id tells. */
  at: Date;
}

const ofContact = ofKey({ contact_id: '$2::uuid' }, 'id');

const list = {
  name: 'consents_list',
  text: `
select id, contact_id, scope, state, source, detail, message_id, at from consents
where tenant_id = $1 and ${ofContact.below(`coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)`)}
order by ${ofContact.newestFirst} limit $4`,
};

/** What a contact said, the last written first. @param before a page begins behind this one; null: at the newest. */
export function listConsents(
  tx: Queryable,
  tenant: TenantId,
  contact: ContactId,
  before: string | null,
  limit: number,
): Promise<ConsentRow[]> {
  return tx.query<ConsentRow>(list, [tenant, contact, before, limit]);
}

const keywords = {
  name: 'consents_keywords_of_tenants',
  text: 'select id, consent_keywords from tenants where consent_keywords is not null order by id limit $1',
};

/** The tenants with keywords of their own. */
export function findTenantKeywords(
  tx: Queryable,
  limit: number,
): Promise<{ id: TenantId; consent_keywords: Partial<ConsentKeywords> }[]> {
  return tx.query<{ id: TenantId; consent_keywords: Partial<ConsentKeywords> }>(keywords, [limit]);
}

const recent = {
  name: 'consents_recent',
  text: `
select r.tenant_id, r.contact_id, r.last,
  (case when c.marketing_consent = 'out' then 1 else 0 end) | (case when c.contact_consent = 'out' then 2 else 0 end) as mask
from (
  select tenant_id, contact_id, max(id::text)::uuid as last
  from (select tenant_id, contact_id, id from consents where id > $1 and id < $2 order by id limit $3) x
  group by tenant_id, contact_id
) r join contacts c on c.tenant_id = r.tenant_id and c.id = r.contact_id`,
};

/** A contact of whom something was written, what he gets none of now, and the last that was written. */
export interface RecentConsent {
  tenant_id: TenantId;
  contact_id: ContactId;
  mask: number;
  last: string;
}

/** Of whom consents were written between two ids, of all tenants: from the first `limit` of those consents. */
export function findRecentConsents(
  tx: Queryable,
  after: string,
  before: string,
  limit: number,
): Promise<RecentConsent[]> {
  return tx.query<RecentConsent>(recent, [after, before, limit]);
}

const contactsOf = {
  name: 'consents_contacts_of_messages',
  text: `
select m.tenant_id, m.id as message_id, m.contact_id, m.sender_id
from unnest($1::uuid[], $2::uuid[]) as i(tenant_id, id) join messages m on m.tenant_id = i.tenant_id and m.id = i.id`,
};

/** Whom a message was for, and from which sender. */
export interface MessageEnds {
  tenant_id: TenantId;
  message_id: MessageId;
  contact_id: ContactId;
  sender_id: SenderId;
}

/** Whom messages were for. */
export function findContactsOfMessages(
  tx: Queryable,
  messages: readonly { tenant: TenantId; message: MessageId }[],
): Promise<MessageEnds[]> {
  return tx.query<MessageEnds>(contactsOf, [messages.map((m) => m.tenant), messages.map((m) => m.message)]);
}
