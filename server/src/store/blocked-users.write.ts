import { doubles, smallints, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { BlockTask, BlockTaskKey } from '../domain/blocked-user.ts';
import type { ContactId, SenderId, TenantId } from '../domain/ids.ts';

const want = {
  name: 'blocked_users_want',
  text: `
insert into blocked_users (tenant_id, sender_id, contact_id, blocked, due_at) values ($1, $2, $3, $4, clock_timestamp())
on conflict (tenant_id, sender_id, contact_id) do update set blocked = excluded.blocked, confirmed = null, detail = null,
  tries = 0, due_at = excluded.due_at, at = clock_timestamp()
where blocked_users.blocked <> excluded.blocked or (blocked_users.due_at is null and blocked_users.confirmed is distinct from true)`,
};

/** Records that a customer is to be blocked, or not any more. What is so already, or is being done, is left. */
export async function wantBlocked(
  tx: Queryable,
  tenant: TenantId,
  sender: SenderId,
  contact: ContactId,
  blocked: boolean,
): Promise<void> {
  await tx.query(want, [tenant, sender, contact, blocked]);
}

const take = {
  name: 'blocked_users_take',
  text: `
with x as materialized (
  select tenant_id, sender_id, contact_id from blocked_users where due_at <= now()
  order by due_at limit $1 for update skip locked
), b as (
  update blocked_users b set tries = b.tries + 1, due_at = clock_timestamp() + $2 * interval '1 ms'
  from x where b.tenant_id = x.tenant_id and b.sender_id = x.sender_id and b.contact_id = x.contact_id
  returning b.tenant_id, b.sender_id, b.contact_id, b.blocked, b.tries
)
select b.*, s.phone_number_id, s.access_token_sealed,
  (select i.value from contact_identities i where i.tenant_id = b.tenant_id and i.contact_id = b.contact_id
    and i.kind = 'phone' order by i.left_at nulls first, i.value limit 1) as phone,
  (select i.value from contact_identities i where i.tenant_id = b.tenant_id and i.contact_id = b.contact_id
    and i.kind = 'bsuid' order by i.left_at nulls first, i.value limit 1) as user_id
from b left join senders s on s.tenant_id = b.tenant_id and s.id = b.sender_id and s.channel = 'whatsapp'`,
};

/**
 * Takes what the provider is to be told now, at most `limit`. It is due again after `retryAfter` milliseconds, unless it is
 * settled before: an instance that dies loses nothing.
 */
export function takeBlockTasks(tx: Queryable, limit: number, retryAfter: number): Promise<BlockTask[]> {
  return tx.query<BlockTask>(take, [limit, retryAfter]);
}

const hold = {
  name: 'blocked_users_hold',
  text: `
update blocked_users b set due_at = clock_timestamp() + $6 * interval '1 ms'
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::smallint[])
  as i(tenant_id, sender_id, contact_id, blocked, tries)
where b.tenant_id = i.tenant_id and b.sender_id = i.sender_id and b.contact_id = i.contact_id
  and b.tries = i.tries and b.blocked = (i.blocked = 1)`,
};

/** Holds tasks that were taken for so many milliseconds more. */
export async function holdBlockTasks(tx: Queryable, tasks: readonly BlockTaskKey[], heldFor: number): Promise<void> {
  await tx.query(hold, [
    uuids(tasks, (t) => t.tenant_id),
    uuids(tasks, (t) => t.sender_id),
    uuids(tasks, (t) => t.contact_id),
    smallints(tasks, (t) => Number(t.blocked)),
    smallints(tasks, (t) => t.tries),
    heldFor,
  ]);
}

const settle = {
  name: 'blocked_users_settle',
  text: `
update blocked_users b set confirmed = (i.confirmed = 1), detail = i.detail,
  due_at = clock_timestamp() + i.delay * interval '1 ms'
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::smallint[], $6::smallint[], $7::text[], $8::float8[])
  as i(tenant_id, sender_id, contact_id, blocked, tries, confirmed, detail, delay)
where b.tenant_id = i.tenant_id and b.sender_id = i.sender_id and b.contact_id = i.contact_id
  and b.tries = i.tries and b.blocked = (i.blocked = 1)`,
};

/** What came of one try. `confirmed` null: nobody knows yet. `delay`: milliseconds until the next; null: there is none. */
export interface SettledBlock extends BlockTaskKey {
  confirmed: boolean | null;
  detail: string | null;
  delay: number | null;
}

/** Writes down what came of telling the provider. */
export async function settleBlockTasks(tx: Queryable, tasks: readonly SettledBlock[]): Promise<void> {
  await tx.query(settle, [
    uuids(tasks, (t) => t.tenant_id),
    uuids(tasks, (t) => t.sender_id),
    uuids(tasks, (t) => t.contact_id),
    smallints(tasks, (t) => Number(t.blocked)),
    smallints(tasks, (t) => t.tries),
    smallints(tasks, (t) => (t.confirmed === null ? null : Number(t.confirmed))),
    texts(tasks, (t) => t.detail),
    doubles(tasks, (t) => t.delay),
  ]);
}

const learn = {
  name: 'blocked_users_learn',
  text: `
insert into blocked_users (tenant_id, sender_id, contact_id, blocked, confirmed, at)
select i.tenant_id, i.sender_id, i.contact_id, true, true, i.at
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as i(tenant_id, sender_id, contact_id, at)
on conflict (tenant_id, sender_id, contact_id) do update set blocked = true, confirmed = true, detail = null, at = excluded.at
where blocked_users.due_at is null and blocked_users.at < excluded.at and not (blocked_users.blocked and blocked_users.confirmed is true)`,
};

/** What the provider refused because its number blocks the person. `at`: milliseconds since 1970. */
export interface LearnedBlock {
  tenant: TenantId;
  sender: SenderId;
  contact: ContactId;
  at: number;
}

/**
 * Records that senders block people of whom we did not know it: it was done elsewhere. What is still to be told the provider, or
 * was asked for since, goes before. Each pair of sender and contact is named once.
 */
export async function learnBlocked(tx: Queryable, blocks: readonly LearnedBlock[]): Promise<void> {
  await tx.query(learn, [
    uuids(blocks, (b) => b.tenant),
    uuids(blocks, (b) => b.sender),
    uuids(blocks, (b) => b.contact),
    times(blocks, (b) => b.at),
  ]);
}
