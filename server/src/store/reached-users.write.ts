import { bigints, integers, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { ConversationId, TenantId } from '../domain/ids.ts';
import type { LaneClaim } from '../domain/lane.ts';
import { OWNED } from './sending.write.ts';

/**
 * Whom the numbers of a lane have written to first, and when last. `lane_reach.users` is the number of a lane's rows in
 * `reached_users`, those that no longer count included until they are forgotten: so it is never less than what Meta counts.
 * Transactions that add users to one lane at once change the same row, so that the later fails and is repeated.
 */

/** A template that is about to begin, of a lane with a limit. */
export interface ReachAsk {
  lane: number;
  tenant: TenantId;
  conversation: ConversationId;
  address: string;
}

/** What is known of it. */
export interface ReachFacts {
  /** Whether the customer's window with this sender is known to be open, for a minute at least: then it does not count. */
  open: boolean;
  /** Whether the user counts already. */
  known: boolean;
  users: number;
  put_off_under: number | null;
  /** Milliseconds since 1970, by the database's clock. */
  now: number;
}

const find = {
  name: 'reached_find',
  text: `
select coalesce(v.window_expires_at > now() + interval '1 minute', false) as open,
  coalesce(r.reached_at > now() - interval '24 hours', false) as known,
  coalesce(l.users, 0) as users, l.put_off_under, (extract(epoch from now()) * 1000)::float8 as now
from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[]) with ordinality as i(lane_id, address, tenant_id, conversation_id, n)
left join conversations v on v.tenant_id = i.tenant_id and v.id = i.conversation_id
left join reached_users r on r.lane_id = i.lane_id and r.address = i.address
left join lane_reach l on l.lane_id = i.lane_id
order by i.n`,
};

/** Reads what decides whether messages count and fit. @returns as many as were asked about, in their order. */
export function findReach(tx: Queryable, asks: readonly ReachAsk[]): Promise<ReachFacts[]> {
  return tx.query<ReachFacts>(find, [
    integers(asks, (ask) => ask.lane),
    texts(asks, (ask) => ask.address),
    uuids(asks, (ask) => ask.tenant),
    uuids(asks, (ask) => ask.conversation),
  ]);
}

const forget = {
  name: 'reached_forget',
  text: `
with old as (
  select i.lane_id, o.address from unnest($1::int[]) as i(lane_id)
  cross join lateral (
    select address from reached_users where lane_id = i.lane_id and reached_at <= now() - interval '24 hours'
    order by reached_at limit $2
  ) o
), gone as (
  delete from reached_users r using old where r.lane_id = old.lane_id and r.address = old.address returning r.lane_id
), n as (
  select lane_id, count(*)::int as n from gone group by lane_id
)
update lane_reach l set users = l.users - n.n from n where l.lane_id = n.lane_id returning l.lane_id, l.users`,
};

/**
 * Forgets users of lanes who count no more, at most so many of each lane.
 * @returns for the lanes that had any how many users they have now.
 */
export function forgetReached(
  tx: Queryable,
  lanes: readonly number[],
  most: number,
): Promise<{ lane_id: number; users: number }[]> {
  return tx.query(forget, [integers(lanes, (lane) => lane), most]);
}

const write = {
  name: 'reached_write',
  text: `
with i as materialized (
  select * from unnest($1::int[], $2::text[]) as i(lane_id, address)
), n as (
  select i.lane_id, count(*)::int - count(r.address)::int as fresh
  from i left join reached_users r on r.lane_id = i.lane_id and r.address = i.address group by i.lane_id
), w as (
  insert into reached_users (lane_id, address, reached_at)
  select lane_id, address, clock_timestamp() from i order by lane_id, address
  on conflict (lane_id, address) do update set reached_at = excluded.reached_at
)
insert into lane_reach (lane_id, users) select lane_id, fresh from n where fresh > 0 order by lane_id
on conflict (lane_id) do update set users = lane_reach.users + excluded.users`,
};

/** Writes that users were written to now. Each of them once. */
export async function writeReached(tx: Queryable, users: readonly { lane: number; address: string }[]): Promise<void> {
  await tx.query(write, [integers(users, (user) => user.lane), texts(users, (user) => user.address)]);
}

const merge = {
  name: 'reached_merge',
  text: `
with i as materialized (
  select address, max(reached_at) as reached_at from reached_users
  where lane_id = any($1::int[]) and reached_at > now() - $3 * interval '1 ms' group by address
), n as (
  select count(*)::int as rows, count(*)::int - count(r.address)::int as fresh
  from i left join reached_users r on r.lane_id = $2 and r.address = i.address
), w as (
  insert into reached_users (lane_id, address, reached_at) select $2, address, reached_at from i order by address
  on conflict (lane_id, address) do update set reached_at = excluded.reached_at
  where reached_users.reached_at < excluded.reached_at
)
insert into lane_reach (lane_id, users) select $2, fresh from n where rows > 0
on conflict (lane_id) do update set users = lane_reach.users + excluded.users`,
};

/**
 * Counts in a lane also whom others have written to: a user once, by the later time. In the others they stay, for senders that are still
 * there. Done again it changes nothing. The row of `lane_reach` is written in any case, so that of two changes of a lane's users at once
 * the later fails and is repeated.
 * @param age of those written to so long ago at most, in milliseconds.
 */
export async function mergeReached(tx: Queryable, from: readonly number[], to: number, age: number): Promise<void> {
  await tx.query(merge, [integers(from, (lane) => lane), to, age]);
}

const findPlaces = {
  name: 'reached_places',
  text: `
select (i.n - 1)::int as ask, (extract(epoch from p.reached_at) * 1000)::float8 as reached_at
from unnest($1::int[], $2::timestamptz[], $3::int[], $4::int[]) with ordinality as i(lane_id, after, skipped, wanted, n)
cross join lateral (
  select reached_at from reached_users r
  where r.lane_id = i.lane_id and r.reached_at > i.after and r.reached_at <= now() - $5 * interval '1 ms'
  order by r.reached_at offset i.skipped limit i.wanted
) p order by i.n, p.reached_at`,
};

/** Which users make place next. */
export interface PlacesAsk {
  lane: number;
  /** Those reached after this time, in milliseconds since 1970. */
  after: number;
  /** So many of them are of no use yet. */
  skipped: number;
  wanted: number;
}

/**
 * When users were last written to, the longest ago first.
 * @param age how long ago at least, in milliseconds.
 * @returns `ask` says by its place which question a row answers.
 */
export function findReachedBefore(
  tx: Queryable,
  asks: readonly PlacesAsk[],
  age: number,
): Promise<{ ask: number; reached_at: number }[]> {
  return tx.query(findPlaces, [
    integers(asks, (ask) => ask.lane),
    times(asks, (ask) => ask.after),
    integers(asks, (ask) => ask.skipped),
    integers(asks, (ask) => ask.wanted),
    age,
  ]);
}

const note = {
  name: 'reached_note_put_off',
  text: `
insert into lane_reach (lane_id, put_off_under)
select * from unnest($1::int[], $2::int[]) as i(lane_id, most) order by lane_id
on conflict (lane_id) do update set put_off_under = excluded.put_off_under`,
};

/** Notes under which limit messages of lanes were put off. */
export async function notePutOff(tx: Queryable, lanes: readonly { lane: number; most: number }[]): Promise<void> {
  await tx.query(note, [integers(lanes, ({ lane }) => lane), integers(lanes, ({ most }) => most)]);
}

const noteReleased = {
  name: 'reached_note_released',
  text: `
with ${OWNED}
update lane_reach l set put_off_under = $5 from owned o where l.lane_id = $4 and l.lane_id is not distinct from o.id`,
};

/** Notes how much of a raise was given to messages of a lane that were put off. Of a lane of another owner's it is his to note. */
export async function notePutOffReleased(
  tx: Queryable,
  owner: LaneClaim,
  lane: number,
  most: number | null,
): Promise<void> {
  await tx.query(noteReleased, [
    owner.instance,
    integers(owner.lanes, (id) => id),
    bigints(owner.epochs, (epoch) => epoch),
    lane,
    most,
  ]);
}

const prune = {
  name: 'reached_prune',
  text: `
with old as (
  select l.lane_id, o.address from lane_reach l
  cross join lateral (
    select address from reached_users where lane_id = l.lane_id and reached_at <= now() - interval '24 hours'
    order by reached_at limit $1
  ) o limit $1
), gone as (
  delete from reached_users r using old where r.lane_id = old.lane_id and r.address = old.address returning r.lane_id
), n as (
  select lane_id, count(*)::int as n from gone group by lane_id
), l as (
  update lane_reach l set users = l.users - n.n from n where l.lane_id = n.lane_id
)
select count(*)::int as n from gone`,
};

/** Forgets users who count no more, in all lanes. @returns how many. */
export async function pruneReached(tx: Queryable, most: number): Promise<number> {
  const [row] = await tx.query<{ n: number }>(prune, [most]);
  return row?.n ?? 0;
}
