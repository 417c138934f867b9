import type { Queryable } from '../db/pool.ts';
import type { EventPosition } from '../domain/event-cursor.ts';
import type { ConversationId, DeliveryId, EndpointId, EventId, TenantId } from '../domain/ids.ts';
import { REPLAY_COLUMNS, type ReplayRecord } from './webhook-replays.read.ts';

/** A replay that is asked for. */
export interface NewReplay {
  since: Date;
  until: Date;
  only_failed: boolean;
  /** Where it begins in the log, and the transaction at which it ends. */
  from: EventPosition;
  end_xid: string;
}

const insert = {
  name: 'webhook_replays_insert',
  text: `
insert into webhook_replays (tenant_id, endpoint_id, id, since, until, only_failed, at_xid, at_id, end_xid)
values ($1, $2, $3, $4, $5, $6, $7::text::xid8, $8, $9::text::xid8)
on conflict (tenant_id, endpoint_id) where state = 'running' do nothing returning ${REPLAY_COLUMNS}`,
};

/** Begins a replay; null: another of the endpoint runs. */
export async function insertReplay(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  id: string,
  { since, until, only_failed, from, end_xid }: NewReplay,
): Promise<ReplayRecord | null> {
  const values = [tenant, endpoint, id, since, until, only_failed, from.xid, from.id, end_xid];
  return (await tx.query<ReplayRecord>(insert, values))[0] ?? null;
}

/** A replay in the hands of who makes its next step. */
export interface HeldReplay {
  tenant_id: TenantId;
  endpoint_id: EndpointId;
  id: string;
  since: Date;
  until: Date;
  only_failed: boolean;
  at: EventPosition;
  end_xid: string;
}

const hold = {
  name: 'webhook_replays_hold',
  text: `
select tenant_id, endpoint_id, id, since, until, only_failed, jsonb_build_object('xid', at_xid::text, 'id', at_id) as at,
  end_xid::text as end_xid
from webhook_replays where state = 'running' and due_at <= now() order by due_at limit 1 for update skip locked`,
};

/** Takes the replay whose step is due longest, of any tenant, until the transaction ends; null: none is. */
export async function holdDueReplay(tx: Queryable): Promise<HeldReplay | null> {
  return (await tx.query<HeldReplay>(hold))[0] ?? null;
}

const advance = {
  name: 'webhook_replays_advance',
  text: `
update webhook_replays set at_xid = $4::text::xid8, at_id = $5, replayed = replayed + $6,
  due_at = clock_timestamp() + $7::float8 * interval '1 ms',
  state = case when $8 then 'done' else state end, ended_at = case when $8 then clock_timestamp() end
where tenant_id = $1 and endpoint_id = $2 and id = $3 returning true as done`,
};

/** Records a step. @param wait milliseconds until the next. */
export async function advanceReplay(
  tx: Queryable,
  { tenant_id, endpoint_id, id }: HeldReplay,
  { at, replayed, wait, done }: { at: EventPosition; replayed: number; wait: number; done: boolean },
): Promise<void> {
  await tx.query(advance, [tenant_id, endpoint_id, id, at.xid, at.id, replayed, wait, done]);
}

const failed = {
  name: 'webhook_replays_failed',
  text: `
select id, event_xid::text as event_xid, event_id, event_type, conversation_id from webhook_deliveries
where tenant_id = $1 and endpoint_id = $2 and state = 'failed' and id > $3 and id < $4 and kind <> 'test'
order by id limit $5`,
};

/** A delivery that failed. */
export interface FailedDelivery {
  id: DeliveryId;
  event_xid: string;
  event_id: EventId;
  event_type: string;
  conversation_id: ConversationId | null;
}

/** The deliveries of an endpoint that failed, with an id between two, the oldest first, at most `limit`. */
export function listFailedDeliveries(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  after: string,
  before: string,
  limit: number,
): Promise<FailedDelivery[]> {
  return tx.query<FailedDelivery>(failed, [tenant, endpoint, after, before, limit]);
}

const backlog = {
  name: 'webhook_replays_backlog',
  text: `
select greatest(
  (select count(*) from (
    select from webhook_deliveries where tenant_id = $1 and endpoint_id = $2 and due_at is not null limit $3) due),
  (select count(*) from (
    select from webhook_deliveries
    where tenant_id = $1 and endpoint_id = $2 and state = 'pending' and conversation_id is not null limit $3) lined))::int as n`,
};

/** How many deliveries of an endpoint are to be made: those that are due now or later, or those that stand in lines, whichever are more; counted up to `most`. */
export async function countBacklog(
  tx: Queryable,
  tenant: TenantId,
  endpoint: EndpointId,
  most: number,
): Promise<number> {
  return (await tx.query<{ n: number }>(backlog, [tenant, endpoint, most]))[0]?.n ?? 0;
}

const remove = {
  name: 'webhook_replays_remove',
  text: 'delete from webhook_replays where tenant_id = $1 and endpoint_id = $2',
};

/** Forgets the replays of an endpoint that is deleted. */
export async function deleteReplays(tx: Queryable, tenant: TenantId, endpoint: EndpointId): Promise<void> {
  await tx.query(remove, [tenant, endpoint]);
}
