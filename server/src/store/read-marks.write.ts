import { doubles, smallints, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { EventId, MessageId, TenantId } from '../domain/ids.ts';
import { NOTHING_TO_READ } from '../domain/inbound-message.ts';
import type { Direction } from '../domain/message.ts';
import type { ReadMark, ReadMarkKey } from '../domain/read-mark.ts';

/** @param told how the record that the provider is to be told is written. */
const marking = (told: string) => `
with m as (
  update messages m set state_before = m.state, state = 'read', read_at = greatest(now(), m.delivered_at)
  where m.tenant_id = $1 and m.id = $2 and m.direction = 'inbound' and m.state = 'delivered'
  returning m.tenant_id, m.id, m.sender_id, m.conversation_id, m.type, m.wamid, m.delivered_at, m.read_at
), v as (
  update conversations v set unread_count = greatest(v.unread_count - 1, 0)
  from m where v.tenant_id = m.tenant_id and v.id = m.conversation_id
    and m.type not in (${NOTHING_TO_READ.map((type) => `'${type}'`).join(', ')})
), r as (${told}
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, $3, 'message.read', id, jsonb_strip_nulls(jsonb_build_object('state', 'read', 'wamid', wamid,
    'delivered_at', delivered_at, 'read_at', read_at))
  from m
), n as (
  insert into message_counts (tenant_id, sender_id, direction, type, from_state, to_state, slot, n)
  select tenant_id, sender_id, 'inbound', type, 'delivered', 'read', 0, 1 from m
  on conflict (tenant_id, sender_id, direction, type, from_state, to_state, slot)
  do update set n = message_counts.n + excluded.n
)
select exists (select from m) as done,
  (select direction from messages where tenant_id = $1 and id = $2) as direction`;

const mark = {
  name: 'read_marks_mark',
  text: marking(`
  insert into read_marks (tenant_id, message_id, sender_id, wamid)
  select m.tenant_id, m.id, m.sender_id, m.wamid from m where m.wamid is not null`),
};

// Beginning anew at its first try, the mark is none that is being told now: whoever tells that one leaves this one there.
const markTyping = {
  name: 'read_marks_mark_typing',
  text: marking(`
  insert into read_marks as r (tenant_id, message_id, sender_id, wamid, typing_at)
  select b.tenant_id, b.id, b.sender_id, b.wamid, clock_timestamp() from messages b
  where b.tenant_id = $1 and b.id = $2 and b.direction = 'inbound' and b.wamid is not null
  on conflict (tenant_id, message_id)
  do update set typing_at = excluded.typing_at, due_at = excluded.due_at, tries = 0`),
};

/**
 * Marks a customer's message as read, with its event, its count, the conversation's unread count, and the record that the
 * provider is to be told, in one statement. `direction` null: there is no such message.
 * @param typing whether the customer is shown as well that an answer is being written; then the provider is told in any case.
 */
export async function markMessageRead(
  tx: Queryable,
  tenant: TenantId,
  id: MessageId,
  event: EventId,
  typing = false,
): Promise<{ done: boolean; direction: Direction | null }> {
  const statement = typing ? markTyping : mark;
  const [row] = await tx.query<{ done: boolean; direction: Direction | null }>(statement, [tenant, id, event]);
  return row ?? { done: false, direction: null };
}

const take = {
  name: 'read_marks_take',
  text: `
with x as materialized (
  select tenant_id, message_id from read_marks where due_at <= now()
  order by due_at limit $1 for update skip locked
), r as (
  update read_marks r set tries = r.tries + 1, due_at = clock_timestamp() + $2 * interval '1 ms'
  from x where r.tenant_id = x.tenant_id and r.message_id = x.message_id
  returning r.tenant_id, r.message_id, r.sender_id, r.wamid, r.tries, r.typing_at
)
select r.tenant_id, r.message_id, r.sender_id, r.wamid, r.tries,
  coalesce(r.typing_at > clock_timestamp() - $3 * interval '1 ms', false) as typing, s.phone_number_id, s.access_token_sealed
from r left join senders s on s.tenant_id = r.tenant_id and s.id = r.sender_id and s.channel = 'whatsapp'`,
};

/**
 * Takes what is due, at most `limit`. It is due again after `retryAfter` milliseconds, unless it is told of before: an instance
 * that dies loses nothing.
 * @param fresh milliseconds after which nobody is shown any more that an answer is being written.
 */
export function takeReadMarks(tx: Queryable, limit: number, retryAfter: number, fresh: number): Promise<ReadMark[]> {
  return tx.query<ReadMark>(take, [limit, retryAfter, fresh]);
}

const remove = {
  name: 'read_marks_remove',
  text: `
delete from read_marks r using unnest($1::uuid[], $2::uuid[], $3::smallint[]) as i(tenant_id, message_id, tries)
where r.tenant_id = i.tenant_id and r.message_id = i.message_id and r.tries = i.tries`,
};

/** Forgets marks: the provider has been told, or will not be. One that began anew meanwhile stays. */
export async function deleteReadMarks(tx: Queryable, marks: readonly ReadMarkKey[]): Promise<void> {
  await tx.query(remove, [
    uuids(marks, (m) => m.tenant_id),
    uuids(marks, (m) => m.message_id),
    smallints(marks, (m) => m.tries),
  ]);
}

const postpone = {
  name: 'read_marks_postpone',
  text: `
update read_marks r set due_at = clock_timestamp() + i.delay * interval '1 ms'
from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::float8[]) as i(tenant_id, message_id, tries, delay)
where r.tenant_id = i.tenant_id and r.message_id = i.message_id and r.tries = i.tries`,
};

/** Lets marks wait. `delay`: milliseconds from now. */
export async function postponeReadMarks(
  tx: Queryable,
  marks: readonly (ReadMarkKey & { delay: number })[],
): Promise<void> {
  await tx.query(postpone, [
    uuids(marks, (m) => m.tenant_id),
    uuids(marks, (m) => m.message_id),
    smallints(marks, (m) => m.tries),
    doubles(marks, (m) => m.delay),
  ]);
}
