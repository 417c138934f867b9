import { bigints, doubles, integers, smallints, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { EventId, MessageId, TemplateId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { type AttemptKey, OWNED, ownedEpoch, type SettledRow } from './sending.write.ts';

/**
 * Messages that wait for their template. `due.held` keeps a claim from finding them; they expire and are cancelled like
 * others. Rows that somebody has locked are left out: they are beginning to leave, and the provider's answer holds them.
 */

/** A template of which messages wait to be held, released or failed. */
export interface UnsettledTemplate {
  tenant_id: TenantId;
  template_id: TemplateId;
  /** null: it is gone. */
  status: string | null;
  reason: string | null;
  name: string | null;
  language: string | null;
}

// A walk over the distinct templates of held messages, one probe of the index each.
const findHeld = {
  name: 'template_holds_find_held',
  text: `
with recursive h as (
  (select tenant_id, template_id from due where held is not null order by tenant_id, template_id limit 1)
  union all
  select n.tenant_id, n.template_id from h cross join lateral (
    select d.tenant_id, d.template_id from due d
    where d.held is not null and (d.tenant_id, d.template_id) > (h.tenant_id, h.template_id)
    order by d.tenant_id, d.template_id limit 1
  ) n
)
select h.tenant_id, h.template_id, t.status, t.reason, t.name, t.language
from h left join templates t on t.tenant_id = h.tenant_id and t.id = h.template_id`,
};

/** Templates for which messages are held, with their status now. */
export function findHeldTemplates(tx: Queryable): Promise<UnsettledTemplate[]> {
  return tx.query<UnsettledTemplate>(findHeld);
}

const findUnsent = {
  name: 'template_holds_find_unsent',
  text: `
select t.tenant_id, t.id as template_id, t.status, t.reason, t.name, t.language from templates t
where t.status not in ('APPROVED', 'FLAGGED')
  and exists (select from due d where d.tenant_id = t.tenant_id and d.template_id = t.id and d.state = 'queued' and d.held is null)`,
};

/** Templates that are not sent now, although messages with them are not held. */
export function findUnsentTemplates(tx: Queryable): Promise<UnsettledTemplate[]> {
  return tx.query<UnsettledTemplate>(findUnsent);
}

const hold = {
  name: 'template_holds_hold',
  text: `
with x as materialized (
  select tenant_id, message_id from due
  where tenant_id = $1 and template_id = $2 and state = 'queued' and held is null limit $3 for update skip locked
)
update due d set held = 'template' from x where d.tenant_id = x.tenant_id and d.message_id = x.message_id
returning d.message_id`,
};

/** Lets queued messages with a template wait, at most `limit`. @returns how many. */
export async function holdQueued(
  tx: Queryable,
  tenant: TenantId,
  template: TemplateId,
  limit: number,
): Promise<number> {
  return (await tx.query<object>(hold, [tenant, template, limit])).length;
}

const release = {
  name: 'template_holds_release',
  text: `
with x as materialized (
  select tenant_id, message_id from due
  where tenant_id = $1 and template_id = $2 and held is not null limit $3 for update skip locked
)
update due d set held = null from x where d.tenant_id = x.tenant_id and d.message_id = x.message_id
returning d.lane_id`,
};

/** Lets held messages with a template go, at most `limit`. @returns the lane of each. */
export async function releaseHeld(
  tx: Queryable,
  tenant: TenantId,
  template: TemplateId,
  limit: number,
): Promise<number[]> {
  const rows = await tx.query<{ lane_id: number }>(release, [tenant, template, limit]);
  return rows.map(({ lane_id }) => lane_id);
}

const fail = {
  name: 'template_holds_fail',
  text: `
with x as materialized (
  select tenant_id, message_id from due
  where tenant_id = $1 and template_id = $2 and held is not null limit $4 for update skip locked
), d as (
  delete from due d using x where d.tenant_id = x.tenant_id and d.message_id = x.message_id
  returning d.tenant_id, d.message_id, d.attempt
), f as (
  insert into failures (tenant_id, message_id, attempt, source, code, at, title, detail)
  select tenant_id, message_id, attempt, 'policy', 0, now(), $5, $6 from d
  on conflict do nothing
), m as (
  update messages m set state_before = m.state, state = 'failed', attempt = d.attempt, failed_at = now(),
    error = jsonb_build_object('error', 'template_unavailable', 'code', 0, 'title', $5::text, 'detail', $6::text)
  from d where m.tenant_id = d.tenant_id and m.id = d.message_id and m.state = 'queued'
  returning m.tenant_id, m.id, m.sender_id, m.type, m.attempt, m.error
), numbered as (
  select *, row_number() over () as n from m
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, ($3::uuid[])[n], 'message.failed', id,
    jsonb_build_object('state', 'failed', 'error', error, 'attempt', attempt, 'failed_at', now()) from numbered
), c as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'outbound', type, 'queued', 'failed', 0, count(*) from m
  group by tenant_id, sender_id, type order by tenant_id, sender_id, type
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select id as message_id from m`,
};

/** Ends held messages whose template is not sent any more. At most as many as there are event ids. @returns which. */
export async function failHeld(
  tx: Queryable,
  tenant: TenantId,
  template: TemplateId,
  events: readonly EventId[],
  why: { title: string; detail: string | null },
): Promise<MessageId[]> {
  const values = [tenant, template, events, events.length, why.title, why.detail];
  const rows = await tx.query<{ message_id: MessageId }>(fail, values);
  return rows.map(({ message_id }) => message_id);
}

/** The template of a message, by what the message says: it may have been accepted before the template was known here. */
const TEMPLATE_OF = `
  join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  join templates t on t.tenant_id = m.tenant_id and t.account_id = s.account_id and t.name = m.template ->> 'name'
    and t.language = m.template ->> 'language'`;

const settleHeld = {
  name: 'template_holds_settle',
  text: `
with ${OWNED}, i as materialized (
  select i.*, t.id as template_id, t.account_id
  from unnest($4::uuid[], $5::uuid[], $6::smallint[], $7::uuid[], $8::float8[], $9::int[], $10::text[])
    as i(tenant_id, message_id, attempt, event_id, delay, code, detail)
  left join (messages m ${TEMPLATE_OF}) on m.tenant_id = i.tenant_id and m.id = i.message_id
), before as (
  select d.tenant_id, d.message_id, d.state, d.started_at from due d join i using (tenant_id, message_id)
), d as (
  update due d set state = 'queued', template_id = coalesce(i.template_id, d.template_id),
    held = case when i.template_id is not null then 'template' end,
    due_at = clock_timestamp() + case when i.template_id is null then i.delay else 0 end * interval '1 ms'
  from i
  where d.tenant_id = i.tenant_id and d.message_id = i.message_id and d.attempt = i.attempt and d.state <> 'queued'
    and d.epoch = ${ownedEpoch('d.lane_id')}
  returning d.tenant_id, d.message_id, d.attempt, d.started_at, i.event_id, i.code, i.detail, i.template_id, i.account_id
), a as (
  insert into attempts (tenant_id, message_id, attempt, started_at, outcome, code, detail)
  select tenant_id, message_id, attempt, started_at, 'retry', code, detail from d
  on conflict do nothing
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, event_id, 'message.queued', message_id, jsonb_build_object('state', 'queued', 'attempt', attempt)
  from d join before using (tenant_id, message_id) where before.state = 'unconfirmed'
), p as (
  -- What a webhook told since the attempt began is newer than this answer.
  update templates t set status = 'PAUSED', reason = d.detail, status_at = now(), updated_at = now()
  from (select tenant_id, template_id, min(started_at) as asked_at, min(detail) as detail from d
    where template_id is not null group by 1, 2) d
  where t.tenant_id = d.tenant_id and t.id = d.template_id and t.status in ('APPROVED', 'FLAGGED')
    and coalesce(t.status_at < d.asked_at, true)
  returning t.tenant_id, t.account_id
), s as (
  update accounts a set templates_due_at = least(a.templates_due_at, now())
  from (select distinct tenant_id, account_id from p) p where a.tenant_id = p.tenant_id and a.id = p.account_id
)
select tenant_id, message_id, 0::float8 as seconds from d`,
};

/** An attempt that the provider answered with "the template is paused". */
export interface HeldAttempt extends AttemptKey {
  /** Milliseconds until the next attempt, where nobody here knows the template and so can tell when it is sent again. */
  delay: number;
  code: number;
  detail: string | null;
}

/** Settles attempts whose message waits for its template; the template is marked as paused, and is to be read again. */
export function settleHeldAttempts(
  tx: Queryable,
  owner: LaneClaim,
  held: readonly HeldAttempt[],
): Promise<SettledRow[]> {
  return tx.query<SettledRow>(settleHeld, [
    owner.instance,
    integers(owner.lanes, (lane) => lane),
    bigints(owner.epochs, (epoch) => epoch),
    uuids(held, (h) => h.tenant),
    uuids(held, (h) => h.message),
    smallints(held, (h) => h.attempt),
    uuids(held, (h) => h.event),
    doubles(held, (h) => h.delay),
    integers(held, (h) => h.code),
    texts(held, (h) => h.detail),
  ]);
}

const doubt = {
  name: 'template_holds_doubt',
  text: `
with x as materialized (
  select m.tenant_id, s.account_id, t.id, bool_or(i.disabled) as disabled, min(a.started_at) as asked_at,
    min(i.detail) filter (where i.disabled) as detail
  from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::boolean[], $5::text[])
    as i(tenant_id, message_id, attempt, disabled, detail)
  join attempts a on a.tenant_id = i.tenant_id and a.message_id = i.message_id and a.attempt = i.attempt
  join messages m on m.tenant_id = i.tenant_id and m.id = i.message_id
  join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
  left join templates t on t.tenant_id = m.tenant_id and t.account_id = s.account_id and t.name = m.template ->> 'name'
    and t.language = m.template ->> 'language'
  group by 1, 2, 3
), p as (
  update templates t set status = 'DISABLED', reason = x.detail, status_at = now(), updated_at = now()
  from x where x.disabled and t.tenant_id = x.tenant_id and t.id = x.id and t.status in ('APPROVED', 'FLAGGED', 'PAUSED')
    and coalesce(t.status_at < x.asked_at, true)
)
update accounts a set templates_due_at = now()
from (select distinct tenant_id, account_id from x) x
where a.tenant_id = x.tenant_id and a.id = x.account_id and a.templates_due_at > now()
  and coalesce(a.templates_synced_at < now() - $6 * interval '1 ms', true)`,
};

/** An attempt that failed because of its template. `disabled`: the provider says that it is. */
export interface DoubtfulTemplate {
  tenant: TenantId;
  message: MessageId;
  attempt: number;
  disabled: boolean;
  detail: string | null;
}

/**
 * Marks templates that the provider called disabled, and lets the templates of the accounts be read again: what is known of them
 * here is not what the provider has. @param rest milliseconds between two readings for such a reason.
 */
export async function doubtTemplates(tx: Queryable, failed: readonly DoubtfulTemplate[], rest: number): Promise<void> {
  await tx.query(doubt, [
    uuids(failed, (f) => f.tenant),
    uuids(failed, (f) => f.message),
    smallints(failed, (f) => f.attempt),
    failed.map((f) => f.disabled),
    texts(failed, (f) => f.detail),
    rest,
  ]);
}
