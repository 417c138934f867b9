import { smallints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { Consent, ConsentScope, ConsentState } from '../domain/consent.ts';
import type { ContactId, EventId, MessageId, TenantId } from '../domain/ids.ts';

const insert = {
  name: 'consents_insert',
  text: `
insert into consents (tenant_id, contact_id, id, scope, state, source, detail, message_id, at)
select i.* from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[],
  $9::timestamptz[]) as i(tenant_id, contact_id, id, scope, state, source, detail, message_id, at)
where i.source not in ('keyword', 'whatsapp') or not exists (
  select from consents c where c.tenant_id = i.tenant_id and c.contact_id = i.contact_id and c.source = i.source
    and c.scope = i.scope and c.state = i.state and c.message_id is not distinct from i.message_id
    and (i.message_id is not null or date_trunc('second', c.at) = date_trunc('second', i.at)))
returning tenant_id, contact_id, scope`,
};

/** A contact who said something new of a scope. */
export interface GrownConsent {
  tenant_id: TenantId;
  contact_id: ContactId;
  scope: ConsentScope;
}

/**
 * Adds to what contacts said. What a message or a webhook said is added once, however often it comes: webhooks tell the
 * second.
 * @returns whose history grew, and of which scope.
 */
export function insertConsents(
  tx: Queryable,
  consents: readonly (Consent & { id: string })[],
): Promise<GrownConsent[]> {
  return tx.query<GrownConsent>(insert, [
    uuids(consents, (c) => c.tenant),
    uuids(consents, (c) => c.contact),
    uuids(consents, (c) => c.id),
    texts(consents, (c) => c.scope),
    texts(consents, (c) => c.state),
    texts(consents, (c) => c.source),
    texts(consents, (c) => c.detail),
    uuids(consents, (c) => c.message),
    times(consents, (c) => c.at),
  ]);
}

const settle = {
  name: 'consents_settle',
  text: `
with i as materialized (
  select distinct * from unnest($1::uuid[], $2::uuid[], $3::text[]) as i(tenant_id, contact_id, scope)
), latest as materialized (
  select distinct on (c.tenant_id, c.contact_id, c.scope) c.tenant_id, c.contact_id, c.scope, c.state
  from i join consents c on c.tenant_id = i.tenant_id and c.contact_id = i.contact_id and c.scope = i.scope
  order by c.tenant_id, c.contact_id, c.scope, c.at desc, c.id desc
), said as materialized (
  select tenant_id, contact_id, max(state) filter (where scope = 'marketing') as marketing,
    max(state) filter (where scope = 'all') as everything
  from latest group by tenant_id, contact_id
), k as (
  update contacts c set marketing_consent = coalesce(s.marketing, c.marketing_consent),
    contact_consent = coalesce(s.everything, c.contact_consent), updated_at = now()
  from said s where c.tenant_id = s.tenant_id and c.id = s.contact_id
  returning c.tenant_id, c.id, c.marketing_consent, c.contact_consent,
    (case when c.marketing_consent = 'out' then 1 else 0 end) | (case when c.contact_consent = 'out' then 2 else 0 end) as mask
), ci as (
  update contact_identities x set suppressed = k.mask
  from k where x.tenant_id = k.tenant_id and x.contact_id = k.id and x.suppressed <> k.mask
)
select tenant_id, id as contact_id, marketing_consent, contact_consent, mask from k`,
};

/** What holds of a contact now. `mask`: what he gets none of, as `contact_identities.suppressed` has it. */
export interface SettledConsent {
  tenant_id: TenantId;
  contact_id: ContactId;
  marketing_consent: ConsentState | null;
  contact_consent: ConsentState | null;
  mask: number;
}

/**
 * Makes what contacts said last of a scope hold, for all their addresses; of a scope that is not named, what holds stays. Their rows
 * are written in any case: of two transactions that write consent of one contact the later is repeated, and sees what the other
 * wrote.
 */
export function settleConsents(tx: Queryable, grown: readonly GrownConsent[]): Promise<SettledConsent[]> {
  return tx.query<SettledConsent>(settle, [
    uuids(grown, (g) => g.tenant_id),
    uuids(grown, (g) => g.contact_id),
    texts(grown, (g) => g.scope),
  ]);
}

// Due work is taken before the message, as everywhere. A message of a batch that is still being stored has none; writing the
// row of its batch keeps it from being made due at the same moment.
const suppress = {
  name: 'consents_suppress_queued',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::smallint[]) as i(tenant_id, contact_id, mask)
), open as materialized (
  select m.tenant_id, m.id, m.batch_id, d.message_id is not null as is_due
  from i
  join conversations v on v.tenant_id = i.tenant_id and v.contact_id = i.contact_id
  join messages m on m.tenant_id = v.tenant_id and m.conversation_id = v.id
  left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
  where m.state = 'queued' and m.direction = 'outbound' and m.contact_id = i.contact_id
    and (i.mask & 2 <> 0 or (i.mask & 1 <> 0 and m.category = 'marketing'))
    and (d.state = 'queued' or (d.state is null and m.batch_id is not null))
  limit $6
), b as (
  update batches b set total = b.total
  from (select distinct tenant_id, batch_id from open where not is_due) o where b.tenant_id = o.tenant_id and b.id = o.batch_id
), d as (
  delete from due d using open o
  where d.tenant_id = o.tenant_id and d.message_id = o.id and d.state = 'queued'
  returning d.tenant_id, d.message_id, d.attempt
), m as (
  update messages m set state_before = m.state, state = 'failed', failed_at = now(),
    attempt = coalesce(
      (select d.attempt from d where d.tenant_id = m.tenant_id and d.message_id = m.id), m.attempt),
    error = jsonb_build_object('error', 'recipient_suppressed', 'code', 0, 'title', 'the recipient has opted out', 'detail', null)
  from open o
  where m.tenant_id = o.tenant_id and m.id = o.id and m.state = 'queued'
    and (not o.is_due or exists (select from d where d.tenant_id = o.tenant_id and d.message_id = o.id))
  returning m.tenant_id, m.id, m.sender_id, m.type, m.attempt, m.error
), f as (
  insert into failures (tenant_id, message_id, attempt, source, code, at, title, detail)
  select tenant_id, id, attempt, 'policy', 0, now(), 'the recipient has opted out', null from m
  on conflict do nothing
), numbered as (
  select *, row_number() over () as n from m
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, ($4::uuid[])[n], 'message.failed', id,
    jsonb_build_object('state', 'failed', 'error', error, 'attempt', attempt, 'failed_at', now()) from numbered
), c as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'queued', 'failed', $5, count(*) from m
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select tenant_id, id as message_id from m`,
};

/**
 * Ends messages that have not begun to leave and that their recipients get none of any more: those that are due, wait for
 * their time, are held, or belong to a batch that is still being stored. At most as many as there are event ids.
 * @param slot which of the counters' rows to add to.
 */
export function suppressQueued(
  tx: Queryable,
  contacts: readonly { tenant_id: TenantId; contact_id: ContactId; mask: number }[],
  events: readonly EventId[],
  slot: number,
): Promise<{ tenant_id: TenantId; message_id: MessageId }[]> {
  return tx.query<{ tenant_id: TenantId; message_id: MessageId }>(suppress, [
    uuids(contacts, (c) => c.tenant_id),
    uuids(contacts, (c) => c.contact_id),
    smallints(contacts, (c) => c.mask),
    events,
    slot,
    events.length,
  ]);
}
