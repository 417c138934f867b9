import { integers, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';
import type { QuietHours } from '../domain/schedule/quiet-hours.ts';

/** What is known of the users a lane may reach. */
export interface LaneLimitRow {
  lane_id: number;
  portfolio_id: string;
  /** Meta's words for the limit, of its accounts: at least one. */
  words: string[];
  /** How many users count, some for longer than they have to. */
  users: number;
  /** The limit under which messages were put off; null: none were. */
  put_off_under: number | null;
}

const findLimits = {
  name: 'messaging_limits_find',
  text: `
select l.id as lane_id, l.portfolio_id, w.words, coalesce(r.users, 0) as users, r.put_off_under
from unnest($1::int[]) as i(lane_id) join lanes l on l.id = i.lane_id
left join lane_reach r on r.lane_id = l.id
cross join lateral (
  select array_agg(distinct a.messaging_limit) as words
  from senders s join accounts a on a.tenant_id = s.tenant_id and a.id = s.account_id
  where s.lane_id = l.id and a.messaging_limit is not null
) w
where w.words is not null or r.put_off_under is not null`,
};

/** The limits of lanes whose accounts were told any, of all tenants: they are the portfolio's. */
export async function findLaneLimits(tx: Queryable, lanes: readonly number[]): Promise<LaneLimitRow[]> {
  const rows = await tx.query<LaneLimitRow & { words: string[] | null }>(findLimits, [integers(lanes, (lane) => lane)]);
  return rows.map((row) => ({ ...row, words: row.words ?? [] }));
}

const findQuiet = {
  name: 'quiet_hours_find',
  text: `
select distinct t.id as tenant_id, t.quiet_hours
from unnest($1::int[]) as i(lane_id) join senders s on s.lane_id = i.lane_id join tenants t on t.id = s.tenant_id
where t.quiet_hours <> '{}'`,
};

/** The quiet hours of the tenants that have senders in lanes, and any quiet hours. */
export function findQuietHours(
  tx: Queryable,
  lanes: readonly number[],
): Promise<{ tenant_id: TenantId; quiet_hours: QuietHours }[]> {
  return tx.query(findQuiet, [integers(lanes, (lane) => lane)]);
}

const findZones = {
  name: 'quiet_hours_find_zones',
  text: `
select v.id as conversation_id, c.attributes ->> 'timezone' as zone
from unnest($1::uuid[], $2::uuid[]) as i(tenant_id, conversation_id)
join conversations v on v.tenant_id = i.tenant_id and v.id = i.conversation_id
join contacts c on c.tenant_id = v.tenant_id and c.id = v.contact_id`,
};

/** What the contacts of conversations have as their attribute `timezone`: anything, or null. */
export function findContactZones(
  tx: Queryable,
  conversations: readonly { tenant_id: TenantId; conversation_id: ConversationId }[],
): Promise<{ conversation_id: ConversationId; zone: string | null }[]> {
  return tx.query(findZones, [
    uuids(conversations, (c) => c.tenant_id),
    uuids(conversations, (c) => c.conversation_id),
  ]);
}
