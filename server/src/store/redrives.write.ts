import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { DeadLetterFilter } from '../domain/dead-letters.ts';
import type { MessageId, RedriveId, TenantId } from '../domain/ids.ts';
import type { LimitPeriod } from '../domain/limits.ts';
import type { LimitUse } from './limits.write.ts';
import { REDRIVE_COLUMNS, type RedriveRecord } from './redrives.read.ts';

/** A redrive that is asked for. */
export interface NewRedrive {
  filter: DeadLetterFilter;
  per_second: number;
  include_uncertain: boolean;
  /** Whose key asks. */
  key_id: string;
}

const lockTenant = { name: 'redrives_lock_tenant', text: 'select id from tenants where id = $1 for no key update' };

/** Lets one redrive of a tenant be asked for after another, so that none is counted too late. */
export async function lockRedrives(tx: Queryable, tenant: TenantId): Promise<void> {
  await tx.query<{ id: TenantId }>(lockTenant, [tenant]);
}

const countOpen = {
  name: 'redrives_count_open',
  text: `select count(*)::int as open from redrives where tenant_id = $1 and state = 'running'`,
};

/** How many redrives of a tenant run. */
export async function countOpenRedrives(tx: Queryable, tenant: TenantId): Promise<number> {
  const [row] = await tx.query<{ open: number }>(countOpen, [tenant]);
  return row?.open ?? 0;
}

const insert = {
  name: 'redrives_insert',
  text: `
insert into redrives (tenant_id, id, key_id, filter, per_second, include_uncertain) values ($1, $2, $3, $4, $5, $6)
returning ${REDRIVE_COLUMNS}`,
};

export async function insertRedrive(
  tx: Queryable,
  tenant: TenantId,
  id: RedriveId,
  { key_id, filter, per_second, include_uncertain }: NewRedrive,
): Promise<RedriveRecord> {
  const values = [tenant, id, key_id, JSON.stringify(filter), per_second, include_uncertain];
  const [row] = await tx.query<RedriveRecord>(insert, values);
  return row as RedriveRecord;
}

const cancel = {
  name: 'redrives_cancel',
  text: `
update redrives set state = 'cancelled', ended_at = clock_timestamp()
where tenant_id = $1 and id = $2 and state = 'running' returning ${REDRIVE_COLUMNS}`,
};

/** Ends a redrive before it is done; null when it has ended. What it made due stays due. */
export async function cancelRedrive(tx: Queryable, tenant: TenantId, id: RedriveId): Promise<RedriveRecord | null> {
  const [row] = await tx.query<RedriveRecord>(cancel, [tenant, id]);
  return row ?? null;
}

/** A redrive in the hands of one that makes its next step. */
export interface HeldRedrive {
  tenant_id: TenantId;
  id: RedriveId;
  filter: DeadLetterFilter;
  per_second: number;
  include_uncertain: boolean;
  after_id: MessageId | null;
  created_at: Date;
}

const hold = {
  name: 'redrives_hold',
  text: `
select tenant_id, id, filter, per_second, include_uncertain, after_id, created_at from redrives
where state = 'running'
  -- No step waits for longer than a second: the clock was set back.
  and (due_at <= now() or due_at > now() + interval '5 seconds')
order by due_at limit 1 for update skip locked`,
};

/** Takes the redrive whose step is due longest, of any tenant, until the transaction ends; null: none is. */
export async function holdDueRedrive(tx: Queryable): Promise<HeldRedrive | null> {
  const [row] = await tx.query<HeldRedrive>(hold);
  return row ?? null;
}

const advance = {
  name: 'redrives_advance',
  text: `
update redrives r set after_id = $3, queued = queued + $4,
  skipped = coalesce((select jsonb_object_agg(reason, n) from (
    select reason, sum(n) as n from (
      select key as reason, value::bigint as n from jsonb_each_text(r.skipped)
      union all select key, value::bigint from jsonb_each_text($5)
    ) both_of group by reason) summed), '{}'),
  due_at = clock_timestamp() + $6::float8 * interval '1 ms',
  state = case when $7 then 'done' else state end, ended_at = case when $7 then clock_timestamp() end
where tenant_id = $1 and id = $2 returning ${REDRIVE_COLUMNS}`,
};

/** What a step of a redrive did. */
export interface RedriveStep {
  /** The last message that was looked at; null: there was none. */
  after: MessageId | null;
  queued: number;
  skipped: RedriveRecord['skipped'];
  /** Milliseconds until the next step. */
  wait: number;
  done: boolean;
}

/** Records a step of a redrive that is held. */
export async function advanceRedrive(
  tx: Queryable,
  { tenant_id, id, after_id }: HeldRedrive,
  { after, queued, skipped, wait, done }: RedriveStep,
): Promise<RedriveRecord> {
  const values = [tenant_id, id, after ?? after_id, queued, JSON.stringify(skipped), wait, done];
  const [row] = await tx.query<RedriveRecord>(advance, values);
  return row as RedriveRecord;
}

const postpone = {
  name: 'redrives_postpone',
  text: `
update redrives set due_at = clock_timestamp() + $3::float8 * interval '1 ms'
where tenant_id = $1 and id = $2 and state = 'running'`,
};

/** Puts the next step of a redrive off by `delay` ms. */
export async function postponeRedrive(tx: Queryable, { tenant_id, id }: HeldRedrive, delay: number): Promise<void> {
  await tx.query(postpone, [tenant_id, id, delay]);
}

const forget = {
  name: 'redrives_forget',
  text: `
delete from redrives where (tenant_id, id) in (
  select tenant_id, id from redrives where state <> 'running' and ended_at < now() - $1::float8 * interval '1 ms'
  order by ended_at limit $2)`,
};

/** Forgets redrives that ended longer ago than `age` ms, at most `limit`. */
export async function forgetRedrives(tx: Queryable, age: number, limit: number): Promise<void> {
  await tx.query(forget, [age, limit]);
}

/** The place that a message takes again when it is due again: in a window of a limit that it was accepted under. */
export interface HeldPlace {
  message_id: MessageId;
  period: LimitPeriod;
  scope_id: LimitUse['scope_id'];
  starts_at: Date;
  used: number;
  /** The limit's own number; null: what the configuration says. */
  most: number | null;
}

const holdWindows = {
  name: 'redrives_hold_places',
  text: `
select m.id as message_id, h.period, u.scope_id, u.starts_at, u.used,
  case h.period when 'month' then t.monthly_quota else s.per_day end as most
from unnest($2::uuid[]) as i(id)
join messages m on m.tenant_id = $1 and m.id = i.id
cross join lateral (values
  ('month', 1, m.tenant_id, date_trunc('month', m.created_at, 'UTC')),
  ('day', 2, m.sender_id, date_trunc('day', m.created_at, 'UTC'))) as h(period, bit, scope_id, starts_at)
join limit_use u on u.tenant_id = m.tenant_id and u.scope_id = h.scope_id and u.starts_at = h.starts_at
join tenants t on t.id = m.tenant_id
join senders s on s.tenant_id = m.tenant_id and s.id = m.sender_id
where m.reserved & h.bit <> 0
order by u.scope_id, u.starts_at for update of u`,
};

/**
 * Holds the windows in which messages have places.
 * @throws a conflict when one of them changed since the transaction began.
 */
export function holdPlaces(tx: Queryable, tenant: TenantId, messages: readonly MessageId[]): Promise<HeldPlace[]> {
  return tx.query<HeldPlace>(holdWindows, [tenant, uuids(messages, (id) => id)]);
}
