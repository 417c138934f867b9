import { bigints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { MessageId, SenderId, TenantId } from '../domain/ids.ts';
import type { LimitPeriod } from '../domain/limits.ts';

/** A limit: of a tenant's month (`scope` is its id) or of a sender's day. */
export interface Limit {
  tenant: TenantId;
  scope: TenantId | SenderId;
  period: LimitPeriod;
  most: number;
}

/** What is used of a limit in the window that begins at `starts_at`. */
export interface LimitUse {
  tenant_id: TenantId;
  scope_id: TenantId | SenderId;
  starts_at: Date;
  used: number;
}

const hold = {
  name: 'limits_hold',
  text: `
insert into limit_use as u (tenant_id, scope_id, starts_at, used, most)
select i.tenant_id, i.scope_id, date_trunc(i.period, now(), 'UTC'), 0, i.most
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[]) as i(tenant_id, scope_id, period, most)
order by 1, 2, 3
on conflict (tenant_id, scope_id, starts_at) do update set most = greatest(u.used, excluded.most)
returning tenant_id, scope_id, starts_at, used`,
};

/**
 * Holds the windows of now of these limits until the transaction ends, always in the same order, and tells what is used.
 * For a read committed transaction: it waits for whoever holds them, and sees what they left.
 */
export function holdLimits(tx: Queryable, limits: readonly Limit[]): Promise<LimitUse[]> {
  return tx.query<LimitUse>(hold, [
    uuids(limits, (l) => l.tenant),
    uuids(limits, (l) => l.scope),
    texts(limits, (l) => l.period),
    bigints(limits, (l) => l.most),
  ]);
}

const fold = {
  name: 'limits_fold',
  text: `
with i as materialized (
  select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as i(tenant_id, scope_id, starts_at)
), x as materialized (
  select c.tenant_id, c.scope_id, c.starts_at, c.id from i
  join limit_changes c on c.tenant_id = i.tenant_id and c.scope_id = i.scope_id and c.starts_at = i.starts_at
  limit $4
), d as (
  delete from limit_changes c using x
  where c.tenant_id = x.tenant_id and c.scope_id = x.scope_id and c.starts_at = x.starts_at and c.id = x.id
  returning c.tenant_id, c.scope_id, c.starts_at, c.n
), s as materialized (
  select tenant_id, scope_id, starts_at, sum(n) as n from d group by 1, 2, 3
)
update limit_use u set used = greatest(0, u.used + s.n), most = greatest(u.most, u.used + s.n)
from s where u.tenant_id = s.tenant_id and u.scope_id = s.scope_id and u.starts_at = s.starts_at
returning u.tenant_id, u.scope_id, u.starts_at, u.used`,
};

/**
 * Counts in what was given back and taken again since. The caller holds the windows.
 * @param most changes at once; what is beyond is left for the next one.
 * @returns the windows that changed.
 */
export function foldChanges(tx: Queryable, windows: readonly LimitUse[], most: number): Promise<LimitUse[]> {
  return tx.query<LimitUse>(fold, [
    uuids(windows, (w) => w.tenant_id),
    uuids(windows, (w) => w.scope_id),
    times(windows, (w) => w.starts_at.getTime()),
    most,
  ]);
}

const holdOfMessage = {
  name: 'limits_hold_of_message',
  text: `
select u.tenant_id, u.scope_id, u.starts_at, u.used,
  case h.period when 'month' then t.monthly_quota else s.per_day end as most, h.period
from messages m
cross join lateral (values
  ('month', 1, m.tenant_id, date_trunc('month', m.created_at, 'UTC')),
  ('day', 2, m.sender_id, date_trunc('day', m.created_at, 'UTC'))) as h(period, bit, scope_id, starts_at)
join limit_use u on u.tenant_id = m.tenant_id and u.scope_id = h.scope_id and u.starts_at = h.starts_at
join tenants t on t.id = m.tenant_id
join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
where m.tenant_id = $1 and m.id = $2 and m.reserved & h.bit <> 0
order by u.scope_id for update of u`,
};

/**
 * Holds the windows that a message has places in. `most`: the limit's own number; null: what the configuration says.
 * @throws a conflict when one of them changed since the transaction began.
 */
export function holdLimitsOfMessage(
  tx: Queryable,
  tenant: TenantId,
  id: MessageId,
): Promise<(LimitUse & { most: number | null; period: LimitPeriod })[]> {
  return tx.query<LimitUse & { most: number | null; period: LimitPeriod }>(holdOfMessage, [tenant, id]);
}

const prune = {
  name: 'limits_prune',
  text: `
with u as (
  delete from limit_use where (tenant_id, scope_id, starts_at) in (
    select tenant_id, scope_id, starts_at from limit_use where starts_at < now() - interval '100 days'
    order by starts_at limit $1)
  returning tenant_id, scope_id, starts_at
), c as (
  delete from limit_changes c using u
  where c.tenant_id = u.tenant_id and c.scope_id = u.scope_id and c.starts_at = u.starts_at
)
select 1 as yes from u`,
};

/** Forgets windows long over: no message of theirs is still on its way. At most `limit`. */
export async function pruneLimits(tx: Queryable, limit: number): Promise<number> {
  return (await tx.query(prune, [limit])).length;
}
