import assert from 'node:assert/strict';
import { Compile, type Validator } from 'typebox/schema';
import { schemaOf } from '../src/cli/events-page.ts';
import type { Db } from '../src/db/pool.ts';
import type { EventType } from '../src/domain/event-catalogue.ts';
import { toldEvent } from '../src/domain/told-event.ts';
import { EVENT_COLUMNS, EVENT_JOINS, type EventRow } from '../src/store/events.read.ts';

/**
 * What must hold of every message after every action. Each statement finds the messages for which it does not.
 */
const LAWS = {
  /**
   * An event's data is what may change of its message, absent being null: the last one is a fresh read. Attempts that are
   * under way have no event of their own.
   */
  'events equal state': `
    with last as (
      select distinct on (tenant_id, message_id) tenant_id, message_id, data from events
      where message_id is not null
      order by tenant_id, message_id, xid desc, id desc
    ), told as (
      select tenant_id, message_id as id, jsonb_strip_nulls(data -> 'error') as error, data ->> 'state' as state,
        data ->> 'wamid' as wamid, (data ->> 'attempt')::int as attempt,
        array[data ->> 'sent_at', data ->> 'delivered_at', data ->> 'read_at', data ->> 'played_at', data ->> 'failed_at',
          data ->> 'ended_at']::timestamptz[] as times
      from last
    ), found as (
      select m.tenant_id, m.id, jsonb_strip_nulls(m.error) as error,
        case d.state when 'sending' then 'queued' else coalesce(d.state, m.state)::text end as state, m.wamid,
        coalesce(d.attempt, m.attempt) as attempt,
        array[m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at, m.ended_at] as times
      from messages m left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
    )
    select to_jsonb(t) as told, to_jsonb(f) as found
    from found f full join told t using (tenant_id, id)
    where f.id is null or t.id is null
      or (f.error, f.state, f.wamid, f.times) is distinct from (t.error, t.state, t.wamid, t.times)
      or (f.attempt is distinct from t.attempt and f.state <> 'queued' and t.attempt is not null)`,

  'an event is named for its state': `
    select type, data from events
    where type <> 'message.' || (data ->> 'state') and not (type = 'message.received' and data ->> 'state' = 'delivered')
      and type not in ('message.reaction', 'message.edited', 'message.deleted', 'message.media', 'message.rescheduled')`,

  /** The times of a message are those it was accepted with, or those of its last change. */
  'events equal times': `
    with last as (
      select distinct on (tenant_id, message_id) tenant_id, message_id as id, data from events
      where type = 'message.rescheduled' order by tenant_id, message_id, xid desc, id desc
    )
    select m.id, m.scheduled_at, m.expires_at, l.data from messages m join last l using (tenant_id, id)
    where (m.scheduled_at, m.expires_at) is distinct from
      ((l.data ->> 'scheduled_at')::timestamptz, (l.data ->> 'expires_at')::timestamptz)`,

  /** What customers do to a message later stays as it was last told. */
  'events equal what was done later': `
    with last as (
      select distinct on (tenant_id, message_id) tenant_id, message_id as id, data from events
      where type in ('message.reaction', 'message.edited', 'message.deleted')
      order by tenant_id, message_id, xid desc, id desc
    )
    select m.id, m.reactions, m.edited_at, m.deleted_at, l.data from messages m left join last l using (tenant_id, id)
    where (jsonb_strip_nulls(m.reactions), m.edited_at, m.deleted_at) is distinct from
      (l.data -> 'reactions', (l.data ->> 'edited_at')::timestamptz, (l.data ->> 'deleted_at')::timestamptz)`,

  'counts equal messages': `
    with moves as (
      select tenant_id, sender_id, direction, type, to_state as state, n from message_counts
      union all
      select tenant_id, sender_id, direction, type, from_state, -n from message_counts where from_state <> ''
    ), counted as (
      select tenant_id, sender_id, direction, type, state, sum(n) as n from moves group by 1, 2, 3, 4, 5 having sum(n) <> 0
    ), found as (
      select tenant_id, sender_id, direction, type, state::text, count(*) as n from messages group by 1, 2, 3, 4, 5
    )
    select * from counted c full join found f using (tenant_id, sender_id, direction, type, state)
    where c.n is distinct from f.n`,

  'open messages have work, others none': `
    select m.id, m.state, d.state as due from messages m
    left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id
    left join batches b on b.tenant_id = m.tenant_id and b.id = m.batch_id
    where (m.state = 'queued') <> (d.message_id is not null or not coalesce(b.complete, true))`,

  'an attempt that ended is recorded': `
    select m.id, m.state, m.attempt from messages m
    where m.direction = 'outbound' and m.attempt > 0 and m.state <> 'queued' and m.sending_at is null
      and not exists (select from attempts a where a.tenant_id = m.tenant_id and a.message_id = m.id and a.attempt = m.attempt)`,

  'an attempt is recorded once': `
    select m.id, m.attempt from messages m join attempts a on a.tenant_id = m.tenant_id and a.message_id = m.id and a.attempt = m.attempt
    where m.sending_at is not null`,

  'the failed messages are the dead letters, by their reason': `
    select m.id, m.state, m.error, l.* from (select * from messages where state = 'failed') m
    full join dead_letters l on l.tenant_id = m.tenant_id and l.message_id = m.id
    where (m.id is null) or (l.message_id is null)
      or (m.error ->> 'error', (m.error ->> 'code')::int, m.sender_id, m.batch_id, m.failed_at)
        is distinct from (l.word, l.code, l.sender_id, l.batch_id, l.failed_at)`,

  'a failed message has its failure in the history': `
    select m.id, m.error from messages m
    where m.state = 'failed' and not exists (select from failures f where f.tenant_id = m.tenant_id and f.message_id = m.id)`,
};

/** Holds the database to what must be true of it whenever no transaction is open. */
export async function assertSound(db: Db): Promise<void> {
  for (const [law, text] of Object.entries(LAWS)) {
    assert.deepEqual(await db.query<object>({ name: `law ${law}`, text }), [], law);
  }
  for (const event of await db.query<EventRow>(newestOfEachType)) assertAsDocumented(event);
}

const newestOfEachType = {
  name: 'test_newest_of_each_type',
  text: `select distinct on (e.type) ${EVENT_COLUMNS} from events e${EVENT_JOINS} order by e.type, e.id desc`,
};

const validators = new Map<EventType, Validator>();

/** Holds that an event is as docs/events.md says: its data has its schema. */
function assertAsDocumented(event: EventRow): void {
  const { type, data } = toldEvent(event);
  let validator = validators.get(type);
  if (!validator) {
    validator = Compile(schemaOf(type));
    validators.set(type, validator);
  }
  const [valid, errors] = validator.Errors(JSON.parse(JSON.stringify(data)));
  assert.ok(valid, `${type}: ${JSON.stringify(errors)} in ${JSON.stringify(data)}`);
}
