import { integers } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { Placed } from '../domain/schedule/order.ts';
import type { SentBefore } from '../domain/schedule/schedule.ts';
import { ofKey } from './one-key.ts';

/** What the owner of a lane knows by heart, and who takes the lane over has to read. */

const findPutOff = {
  name: 'handover_put_off',
  text: `
select d.message_id, m.conversation_id, d.priority, m.batch_id, greatest(m.created_at, m.scheduled_at) as waiting_since,
  (extract(epoch from d.due_at - now()) * 1000)::float8 as wait,
  case when d.cause = 'retry_wait' or d.attempt > 0
    then coalesce(greatest(extract(epoch from now() - d.started_at) * 1000, 0), 0)::float8 end as tried
from due d join messages m on m.tenant_id = d.tenant_id and m.id = d.message_id
where d.lane_id = any($1::int[]) and d.cause in ('order', 'pair_rate', 'retry_wait') and d.state = 'queued' and d.held is null
  and m.batch_id is null
limit $2`,
};

/** A message that its lane's owner had put off. */
export interface PutOffRow extends Placed {
  /** Milliseconds from now. */
  wait: number;
  /** Milliseconds since its last attempt began, if it waits for another. */
  tried: number | null;
}

/** The messages of lanes that were put off, and hold back those behind them. */
export function findPutOffMessages(tx: Queryable, lanes: readonly number[], limit: number): Promise<PutOffRow[]> {
  return tx.query<PutOffRow>(findPutOff, [integers(lanes, (lane) => lane), limit]);
}

// Ids begin with the time of their making: what was accepted before is not looked at.
const SINCE = `(lpad(to_hex((extract(epoch from now()) * 1000)::bigint - $2), 12, '0') || '00000000000000000000')::uuid`;
const ofSender = ofKey({ 'm.sender_id': 's.id' }, 'm.id');

const findRecent = {
  name: 'handover_recent',
  text: `
select r.conversation_id, r.count
from senders s cross join lateral (
  select conversation_id, count(*)::int as count from (
    select conversation_id from messages m
    where m.tenant_id = s.tenant_id and ${ofSender.above(SINCE)} and m.direction = 'outbound' and m.attempt > 0
    order by ${ofSender.newestFirst} limit $3
  ) newest group by conversation_id having count(*) > 1
) r
where s.lane_id = any($1::int[]) and s.channel = 'whatsapp'`,
};

/**
 * How many messages each pair of a lane's numbers and their recipients had of late, where that was more than one.
 * @param since milliseconds before now. @param most messages of each number that are looked at.
 */
export function findRecentPairs(
  tx: Queryable,
  lanes: readonly number[],
  since: number,
  most: number,
): Promise<SentBefore[]> {
  return tx.query<SentBefore>(findRecent, [integers(lanes, (lane) => lane), since, most]);
}
