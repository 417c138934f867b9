import type { Queryable } from '../db/pool.ts';
import type { ConversationEvents } from '../domain/event-catalogue.ts';
import type { EndpointId, EventId, TenantId } from '../domain/ids.ts';
import { ENDPOINT_COLUMNS, type EndpointRecord, type EndpointValues } from './webhook-endpoints.read.ts';

/** The name of the position in the log up to which deliveries were made. */
export const WEBHOOKS = 'webhooks';

const lock = {
  name: 'webhook_endpoints_lock_tenant',
  text: 'select id from tenants where id = $1 for no key update',
};

/** Lets one change of which endpoints a tenant has come after another. */
export async function lockEndpointsOf(tx: Queryable, tenant: TenantId): Promise<void> {
  await tx.query<{ id: TenantId }>(lock, [tenant]);
}

const count = {
  name: 'webhook_endpoints_count',
  text: 'select count(*)::int as n from webhook_endpoints where tenant_id = $1',
};

export async function countEndpoints(tx: Queryable, tenant: TenantId): Promise<number> {
  return (await tx.query<{ n: number }>(count, [tenant]))[0]?.n ?? 0;
}

const follow = {
  name: 'webhook_endpoints_follow',
  text: `
insert into event_consumers (tenant_id, consumer, xid, event_id)
values ($1, $2, event_horizon(), '00000000-0000-0000-0000-000000000000') on conflict do nothing`,
};

/** Lets the log of a tenant be followed from here on: it has an endpoint now. */
export async function followTenant(tx: Queryable, tenant: TenantId): Promise<void> {
  await tx.query(follow, [tenant, WEBHOOKS]);
}

const unfollow = {
  name: 'webhook_endpoints_unfollow',
  text: `
delete from event_consumers where tenant_id = $1 and consumer = $2
  and not exists (select from webhook_endpoints where tenant_id = $1)`,
};

/** Follows the log of a tenant no more if it has no endpoint. */
export async function unfollowTenant(tx: Queryable, tenant: TenantId): Promise<void> {
  await tx.query(unfollow, [tenant, WEBHOOKS]);
}

const insert = {
  name: 'webhook_endpoints_insert',
  text: `
insert into webhook_endpoints (tenant_id, id, url, description, enabled, event_types, sender_ids, conversation_ids, ordered, secret_sealed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${ENDPOINT_COLUMNS}`,
};

export async function insertEndpoint(
  tx: Queryable,
  tenant: TenantId,
  id: EndpointId,
  values: EndpointValues,
  sealed: Buffer,
): Promise<EndpointRecord> {
  const [row] = await tx.query<EndpointRecord>(insert, [tenant, id, ...columns(values), sealed]);
  return row as EndpointRecord;
}

const update = {
  name: 'webhook_endpoints_update',
  text: `
update webhook_endpoints set url = $3, description = $4, enabled = $5, event_types = $6, sender_ids = $7, conversation_ids = $8,
  ordered = $9, updated_at = clock_timestamp(),
  disabled_reason = case when $5 then null else disabled_reason end,
  failing_since = case when $5 and enabled then failing_since end
where tenant_id = $1 and id = $2 returning ${ENDPOINT_COLUMNS}`,
};

/** One that is enabled by this is given its time anew. Null: there is none of that id. */
export async function updateEndpoint(
  tx: Queryable,
  tenant: TenantId,
  id: EndpointId,
  values: EndpointValues,
): Promise<EndpointRecord | null> {
  return (await tx.query<EndpointRecord>(update, [tenant, id, ...columns(values)]))[0] ?? null;
}

function columns(values: EndpointValues): unknown[] {
  const { url, description, enabled, event_types, sender_ids, conversation_ids, ordered } = values;
  return [url, description, enabled, event_types, sender_ids, conversation_ids, ordered];
}

const remove = {
  name: 'webhook_endpoints_remove',
  text: 'delete from webhook_endpoints where tenant_id = $1 and id = $2 returning true as done',
};

/** What was made for it is pruned later. @returns whether there was one. */
export async function deleteEndpoint(tx: Queryable, tenant: TenantId, id: EndpointId): Promise<boolean> {
  return (await tx.query(remove, [tenant, id])).length === 1;
}

const rotate = {
  name: 'webhook_endpoints_rotate',
  text: `
update webhook_endpoints set previous_secret_sealed = secret_sealed, previous_until = clock_timestamp() + $4::float8 * interval '1 ms',
  secret_sealed = $3, updated_at = clock_timestamp()
where tenant_id = $1 and id = $2 returning ${ENDPOINT_COLUMNS}`,
};

/** Puts another secret in the place of an endpoint's; for `overlap` ms the old one signs too. Null: there is none of that id. */
export async function rotateSecret(
  tx: Queryable,
  tenant: TenantId,
  id: EndpointId,
  sealed: Buffer,
  overlap: number,
): Promise<EndpointRecord | null> {
  return (await tx.query<EndpointRecord>(rotate, [tenant, id, sealed, overlap]))[0] ?? null;
}

const failingNoted = {
  name: 'webhook_endpoints_note_failing',
  text: `
update webhook_endpoints set failing_since = clock_timestamp()
where tenant_id = $1 and id = $2 and enabled and failing_since is null returning true as done`,
};

/** Notes that an endpoint has begun to fail. */
export async function noteFailing(tx: Queryable, tenant: TenantId, id: EndpointId): Promise<void> {
  await tx.query(failingNoted, [tenant, id]);
}

const wellNoted = {
  name: 'webhook_endpoints_note_well',
  text: `
update webhook_endpoints set failing_since = null
where tenant_id = $1 and id = $2 and failing_since is not null returning true as done`,
};

/** Notes that an endpoint fails no more. */
export async function noteWell(tx: Queryable, tenant: TenantId, id: EndpointId): Promise<void> {
  await tx.query(wellNoted, [tenant, id]);
}

const disable = {
  name: 'webhook_endpoints_disable',
  text: `
update webhook_endpoints set enabled = false, disabled_reason = $3, updated_at = clock_timestamp()
where tenant_id = $1 and id = $2 and enabled
  and ($4::float8 is null or failing_since < clock_timestamp() - $4::float8 * interval '1 ms')
returning ${ENDPOINT_COLUMNS}`,
};

/**
 * Disables an endpoint.
 * @param age only if it has failed for longer than so many ms; null: in any case.
 * @returns null when it is disabled already, or has not failed for so long.
 */
export async function disableEndpoint(
  tx: Queryable,
  tenant: TenantId,
  id: EndpointId,
  reason: string,
  age: number | null,
): Promise<EndpointRecord | null> {
  return (await tx.query<EndpointRecord>(disable, [tenant, id, reason, age]))[0] ?? null;
}

const tell = {
  name: 'webhook_endpoints_tell_disabled',
  text: `insert into events (tenant_id, id, type, data) values ($1, $2, 'webhook.disabled', $3)`,
};

/** Writes the event that an endpoint was disabled. */
export async function tellDisabled(
  tx: Queryable,
  tenant: TenantId,
  event: EventId,
  data: ConversationEvents['webhook.disabled'],
): Promise<void> {
  await tx.query(tell, [tenant, event, JSON.stringify(data)]);
}
