import { byteas, texts, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { InstanceId, RawWebhookId } from '../domain/ids.ts';

const insertRaw = {
  name: 'inbound_insert_raw',
  text: `
with r as (
  insert into raw_webhooks (app_id, id, body) select * from unnest($1::text[], $2::uuid[], $3::bytea[])
)
insert into inbound_work (id, app_id, raw_ids, owner)
select work_id, app_id, array_agg(id order by id), $5
from unnest($4::uuid[], $1::text[], $2::uuid[]) as i(work_id, app_id, id) group by work_id, app_id`,
};

/** A webhook as it came: not parsed yet. */
export interface RawWebhook {
  app: string;
  id: RawWebhookId;
  body: Buffer;
}

/**
 * Stores webhooks byte for byte with a record of what is still to be applied, in one statement.
 * @param work for each webhook the id of its record of work; webhooks of one app share one.
 */
export async function insertRawWebhooks(
  tx: Queryable,
  raws: readonly RawWebhook[],
  work: readonly string[],
  owner: InstanceId,
): Promise<void> {
  await tx.query(insertRaw, [
    texts(raws, (r) => r.app),
    uuids(raws, (r) => r.id),
    byteas(raws, (r) => r.body),
    uuids(work, (id) => id),
    owner,
  ]);
}

const takeWork = {
  name: 'inbound_take_work',
  text: `
update inbound_work w set owner = $1
where w.id in (
  select id from inbound_work
  where (owner <> $1 and not exists (select from instances i where i.id = inbound_work.owner and i.expires_at > clock_timestamp()))
    or (owner = $1 and created_at < clock_timestamp() - $3::float8 * interval '1 ms')
  order by id limit $2 for update skip locked)
returning w.id, w.app_id, w.raw_ids`,
};

/** Webhooks that were stored together and are not applied yet. */
export interface InboundWork {
  id: string;
  app_id: string;
  raw_ids: RawWebhookId[];
}

/**
 * Takes over work whose instance is gone.
 * @param ownAfter also this instance's own work that is older than so many milliseconds; null: none of it.
 */
export async function takeOrphanedWork(
  tx: Queryable,
  instance: InstanceId,
  limit: number,
  ownAfter: number | null,
): Promise<InboundWork[]> {
  const work = await tx.query<InboundWork>(takeWork, [instance, limit, ownAfter]);
  return work.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const findRaw = {
  name: 'inbound_find_raw',
  text: `select app_id as app, id, body from raw_webhooks where app_id = $1 and id = any($2::uuid[]) order by id`,
};

/** Reads webhooks back, in the order in which they came. */
export function findRawWebhooks(tx: Queryable, app: string, ids: readonly RawWebhookId[]): Promise<RawWebhook[]> {
  return tx.query<RawWebhook>(findRaw, [app, ids]);
}

const finish = { name: 'inbound_finish', text: 'delete from inbound_work where id = any($1::uuid[])' };

/** Marks work as done. */
export async function finishWork(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query(finish, [ids]);
}

const markRaw = {
  name: 'inbound_mark_raw',
  text: `
update raw_webhooks set error = left(concat_ws('; ', error, $3::text), 500)
where app_id = $1 and id = $2 and position(left($3::text, 500) in coalesce(error, '')) = 0`,
};

/** Notes on a webhook, once, that something of it could not be applied: it is kept for a person to look at. */
export async function markRawWebhook(tx: Queryable, app: string, id: RawWebhookId, error: string): Promise<void> {
  await tx.query(markRaw, [app, id, error]);
}
