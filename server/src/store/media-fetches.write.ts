import { doubles, smallints, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { EventId, MediaId, MessageId, TenantId } from '../domain/ids.ts';
import type { MediaFetch, MediaFetchKey } from '../domain/media-fetch.ts';

// now() and not clock_timestamp(): only a stable function can bound the index.
const take = {
  name: 'media_fetches_take',
  text: `
with x as materialized (
  select tenant_id, message_id from media_fetches where due_at <= now() order by due_at limit $1 for update skip locked
), f as (
  update media_fetches f set tries = f.tries + 1, due_at = clock_timestamp() + $2 * interval '1 ms'
  from x where f.tenant_id = x.tenant_id and f.message_id = x.message_id
  returning f.tenant_id, f.message_id, f.sender_id, f.provider_id, f.sha256, f.filename, f.tries
)
select f.*, s.phone_number_id, s.access_token_sealed
from f left join senders s on s.tenant_id = f.tenant_id and s.id = f.sender_id and s.channel = 'whatsapp'
order by f.message_id`,
};

/**
 * Takes files that are to be fetched, those that wait longest first, at most `limit`. They are due again after `again`
 * milliseconds, unless it is told before what came of it: an instance that dies loses nothing.
 */
export function takeMediaFetches(tx: Queryable, limit: number, again: number): Promise<MediaFetch[]> {
  return tx.query<MediaFetch>(take, [limit, again]);
}

const postpone = {
  name: 'media_fetches_postpone',
  text: `
update media_fetches f set due_at = clock_timestamp() + i.delay * interval '1 ms', detail = coalesce(left(i.detail, 500), f.detail)
from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::float8[], $5::text[]) as i(tenant_id, message_id, tries, delay, detail)
where f.tenant_id = i.tenant_id and f.message_id = i.message_id and f.tries = i.tries`,
};

/** Lets files wait for another try. `delay`: milliseconds from now. `detail` null: what the last try said stays. */
export async function postponeMediaFetches(
  tx: Queryable,
  fetches: readonly (MediaFetchKey & { delay: number; detail: string | null })[],
): Promise<void> {
  await tx.query(postpone, [
    uuids(fetches, (f) => f.tenant_id),
    uuids(fetches, (f) => f.message_id),
    smallints(fetches, (f) => f.tries),
    doubles(fetches, (f) => f.delay),
    texts(fetches, (f) => f.detail),
  ]);
}

/** What becomes of `content.media` of the message; what it has besides stays. */
export type FetchedMedia =
  | { state: 'stored'; media_id: MediaId; size: number; mime_type: string; detail: null }
  | { state: 'failed'; detail: string };

// The state stays, so the event tells it as the last one did.
const finish = {
  name: 'media_fetches_finish',
  text: `
with f as (
  delete from media_fetches where tenant_id = $1 and message_id = $2 returning tenant_id, message_id
), m as (
  update messages m set content = coalesce(m.content, '{}') || jsonb_strip_nulls(jsonb_build_object('media_id', $4::uuid)) || jsonb_build_object('media',
      jsonb_strip_nulls(coalesce(m.content -> 'media', '{}') || $5::jsonb))
  from f where m.tenant_id = f.tenant_id and m.id = f.message_id
  returning m.tenant_id, m.id, m.state, m.attempt, m.wamid, m.error, m.sent_at, m.delivered_at, m.read_at, m.played_at,
    m.failed_at, m.content -> 'media' as media
), e as (
  insert into events (tenant_id, id, type, message_id, data)
  select tenant_id, $3, 'message.media', id, jsonb_strip_nulls(jsonb_build_object('state', state, 'attempt', attempt,
    'wamid', wamid, 'error', error, 'sent_at', sent_at, 'delivered_at', delivered_at, 'read_at', read_at,
    'played_at', played_at, 'failed_at', failed_at, 'media', media))
  from m
)
select id from m`,
};

/**
 * Writes into a customer's message what became of its file, with the event, and ends the work. Work that was ended already
 * changes nothing.
 */
export async function finishMediaFetch(
  tx: Queryable,
  { tenant, message, event }: { tenant: TenantId; message: MessageId; event: EventId },
  fetched: FetchedMedia,
): Promise<boolean> {
  const { media_id, ...media } = { media_id: null, ...fetched };
  const rows = await tx.query<{ id: MessageId }>(finish, [tenant, message, event, media_id, JSON.stringify(media)]);
  return rows.length > 0;
}
