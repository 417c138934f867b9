import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import { type ConversationId, type EndpointId, isUuid, type SenderId, type TenantId } from '../domain/ids.ts';

/** An endpoint as it is told: without its secrets. */
export interface EndpointRecord {
  id: EndpointId;
  url: string;
  description: string | null;
  enabled: boolean;
  /** Why the system disabled it; null: it did not. */
  disabled_reason: string | null;
  event_types: string[] | null;
  sender_ids: SenderId[] | null;
  conversation_ids: ConversationId[] | null;
  ordered: boolean;
  /** Since when nothing went well; null: its last delivery did, or there was none. */
  failing_since: Date | null;
  /** Until when the secret before the last one signs too. */
  previous_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** What a tenant says of an endpoint. */
export type EndpointValues = Pick<
  EndpointRecord,
  'url' | 'description' | 'enabled' | 'event_types' | 'sender_ids' | 'conversation_ids' | 'ordered'
>;

export const ENDPOINT_COLUMNS = `
  id, url, description, enabled, disabled_reason, event_types, sender_ids::text[] as sender_ids,
  conversation_ids::text[] as conversation_ids, ordered, failing_since,
  case when previous_until > now() then previous_until end as previous_until, created_at, updated_at`;

const find = {
  name: 'webhook_endpoints_find',
  text: `select ${ENDPOINT_COLUMNS} from webhook_endpoints where tenant_id = $1 and id = $2`,
};

/** One endpoint, or null when the tenant has none of that id. */
export async function findEndpoint(tx: Queryable, tenant: TenantId, id: string): Promise<EndpointRecord | null> {
  if (!isUuid(id)) return null;
  return (await tx.query<EndpointRecord>(find, [tenant, id]))[0] ?? null;
}

const list = {
  name: 'webhook_endpoints_list',
  text: `
select ${ENDPOINT_COLUMNS} from webhook_endpoints
where tenant_id = $1 and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $3`,
};

/** The newest first. @param before a page begins behind this one; null: at the newest. */
export function listEndpoints(
  tx: Queryable,
  tenant: TenantId,
  before: string | null,
  limit: number,
): Promise<EndpointRecord[]> {
  return tx.query<EndpointRecord>(list, [tenant, before, limit]);
}

/** What decides which events an endpoint gets. */
export interface ListeningEndpoint
  extends Pick<EndpointRecord, 'id' | 'event_types' | 'sender_ids' | 'conversation_ids' | 'ordered'> {
  /** Events from this transaction on are its. */
  from_xid: string;
}

/** An endpoint with deliveries that are to be made. */
export interface DueEndpoint {
  tenant_id: TenantId;
  id: EndpointId;
  url: string;
  secret_sealed: Buffer;
  /** Null when it signs no more. */
  previous_secret_sealed: Buffer | null;
  failing_since: Date | null;
}

/** An endpoint that gets events, with what is needed to post them. */
export type PostingEndpoint = ListeningEndpoint & DueEndpoint;

const posting = {
  name: 'webhook_endpoints_posting',
  text: `
select tenant_id, id, event_types, sender_ids::text[] as sender_ids, conversation_ids::text[] as conversation_ids, ordered,
  from_xid::text as from_xid, url, secret_sealed, case when previous_until > now() then previous_secret_sealed end as previous_secret_sealed,
  failing_since
from webhook_endpoints where tenant_id = $1 and enabled order by id`,
};

/** The endpoints that get events of a tenant. */
export function listPostingEndpoints(tx: Queryable, tenant: TenantId): Promise<PostingEndpoint[]> {
  return tx.query<PostingEndpoint>(posting, [tenant]);
}

/** A place in the walk over endpoints that have something due, now or later. */
export interface DuePlace {
  tenant_id: TenantId;
  endpoint_id: EndpointId;
  /** Milliseconds until the first of it is due; below 0: it is. */
  wait: number;
}

const walk = {
  name: 'webhook_endpoints_walk_due',
  text: `
with recursive first as (
  (select tenant_id, endpoint_id, due_at, 1 as n from webhook_deliveries
    where due_at is not null and (tenant_id, endpoint_id) > ($1::uuid, $2::uuid)
    order by tenant_id, endpoint_id, due_at limit 1)
  union all
  select d.*, f.n + 1 from first f cross join lateral (
    select tenant_id, endpoint_id, due_at from webhook_deliveries
    where due_at is not null and (tenant_id, endpoint_id) > (f.tenant_id, f.endpoint_id)
    order by tenant_id, endpoint_id, due_at limit 1
  ) d where f.n < $3
)
select tenant_id, endpoint_id, extract(epoch from due_at - clock_timestamp())::float8 * 1000 as wait from first`,
};

/** The endpoints that have pending deliveries, in a fixed order from a place on, at most `limit`: a look into the index for each. */
export function walkDueEndpoints(
  tx: Queryable,
  after: Pick<DuePlace, 'tenant_id' | 'endpoint_id'> | null,
  limit: number,
): Promise<DuePlace[]> {
  const none = '00000000-0000-0000-0000-000000000000';
  return tx.query<DuePlace>(walk, [after?.tenant_id ?? none, after?.endpoint_id ?? none, limit]);
}

const open = {
  name: 'webhook_endpoints_open',
  text: `
select e.tenant_id, e.id, e.url, e.secret_sealed, case when e.previous_until > now() then e.previous_secret_sealed end as previous_secret_sealed,
  e.failing_since
from unnest($1::uuid[], $2::uuid[]) as k(tenant_id, id)
join webhook_endpoints e on e.tenant_id = k.tenant_id and e.id = k.id
where e.enabled`,
};

/** Of endpoints those that are posted to, with what is needed for that. */
export function findOpenEndpoints(
  tx: Queryable,
  places: readonly Pick<DuePlace, 'tenant_id' | 'endpoint_id'>[],
): Promise<DueEndpoint[]> {
  return tx.query<DueEndpoint>(open, [
    uuids(places, ({ tenant_id }) => tenant_id),
    uuids(places, ({ endpoint_id }) => endpoint_id),
  ]);
}

const sums = {
  name: 'webhook_endpoints_sums',
  text: `
select count(*) filter (where not enabled and disabled_reason is not null)::int as disabled,
  count(*) filter (where enabled and failing_since is not null)::int as failing from webhook_endpoints`,
};

/** How many endpoints of all tenants the system has disabled, and how many fail. For metrics. */
export async function countTroubledEndpoints(tx: Queryable): Promise<{ disabled: number; failing: number }> {
  return (await tx.query<{ disabled: number; failing: number }>(sums))[0] ?? { disabled: 0, failing: 0 };
}
