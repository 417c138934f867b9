import type { Queryable } from '../db/pool.ts';
import type { InstanceId } from '../domain/ids.ts';

/** A notice as it is stored. It is of no tenant: instances tell each other of all. */
export interface NoticeRow {
  xid: string;
  id: string;
  instance_id: InstanceId;
  topics: string[];
  words: unknown[];
}

/** How far the log of notices may be read, and how many others live. */
interface Surroundings {
  horizon: string;
  others: number;
}

const list = {
  name: 'notices_list',
  text: `
select event_horizon()::text as horizon,
  (select count(*) from instances i where i.id <> $1 and i.expires_at > clock_timestamp())::int as others,
  n.xid::text as xid, n.id, n.instance_id, n.topics, n.words
from (select 1) one
left join lateral (
  select * from notices
  where (xid, id) > ($2::text::xid8, $3::uuid) and xid < (select event_horizon()) and instance_id <> $1
  order by xid, id limit $4
) n on true
order by n.xid, n.id`,
};

/**
 * What other instances wrote behind a place, in the order of transactions, at most `limit`; and what is around. Rows that a
 * transaction still under way may precede are not seen yet, as with events.
 */
export async function listNotices(
  tx: Queryable,
  instance: InstanceId,
  after: { xid: string; id: string },
  limit: number,
): Promise<Surroundings & { notices: NoticeRow[] }> {
  const rows = await tx.query<Surroundings & (NoticeRow | { xid: null })>(list, [instance, after.xid, after.id, limit]);
  const [first] = rows;
  if (!first) throw new Error('a left join gave no row');
  const { horizon, others } = first;
  return { horizon, others, notices: rows.flatMap((row) => (row.xid === null ? [] : [row])) };
}

const end = { name: 'notices_end', text: 'select event_horizon()::text as horizon' };

/** The transaction before which all that is written can be read now. */
export async function findNoticesEnd(tx: Queryable): Promise<string> {
  const [row] = await tx.query<{ horizon: string }>(end);
  if (!row) throw new Error('a select without a table gave no row');
  return row.horizon;
}
