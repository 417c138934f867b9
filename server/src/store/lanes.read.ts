import type { Queryable } from '../db/pool.ts';
import type { InstanceId, SenderId, TenantId } from '../domain/ids.ts';
import { type LaneView, LONGEST_LEASE, type OwnedLane } from '../domain/lane.ts';

/** A sender as the dispatch loop needs it. Secrets are sealed. */
export type LaneSender = (NumberRow | WebhookRow) & {
  tenant_id: TenantId;
  id: SenderId;
  lane_id: number;
  messages_per_second: number;
  /** Null in these three: what the configuration says. */
  per_minute: number | null;
  batch_size: number | null;
  processing_interval_ms: number | null;
  /** Whether it sends: it is enabled, and its tenant is not stopped. */
  active: boolean;
  /** How many messages came in so far. */
  received: number;
};

interface NumberRow {
  channel: 'whatsapp';
  phone_number_id: string;
  access_token_sealed: Buffer;
}

interface WebhookRow {
  channel: 'webhook';
  webhook_url: string;
  webhook_header: string | null;
  webhook_key_sealed: Buffer | null;
}

const findSenders = {
  name: 'lanes_find_senders',
  text: `
select s.tenant_id, s.id, s.lane_id, s.channel, s.phone_number_id, s.access_token_sealed, s.webhook_url, s.webhook_header,
  s.webhook_key_sealed, s.messages_per_second, s.per_minute, s.batch_size, s.processing_interval_ms,
  s.enabled and t.processing as active,
  (select coalesce(sum(c.n), 0)::float8 from message_counts c
   where c.tenant_id = s.tenant_id and c.sender_id = s.id and c.direction = 'inbound' and c.from_state = '') as received
from senders s join tenants t on t.id = s.tenant_id where s.lane_id = any($1::int[])`,
};

/** The senders of lanes, of all tenants: a lane is shared by whoever shares its limits. */
export function findLaneSenders(tx: Queryable, lanes: readonly number[]): Promise<LaneSender[]> {
  return tx.query<LaneSender>(findSenders, [lanes]);
}

const findOwned = { name: 'lanes_find_owned', text: 'select id, epoch from lanes where owner = $1 order by id' };

/** The lanes that an instance owns. */
export function findOwnedLanes(tx: Queryable, instance: InstanceId): Promise<OwnedLane[]> {
  return tx.query<OwnedLane>(findOwned, [instance]);
}

const isOrphaned = {
  name: 'lanes_is_orphaned',
  text: `
select exists (select from lanes where owner is null)
  or exists (select from instances i where i.expires_at <= clock_timestamp() and exists (select from lanes l where l.owner = i.id))
  as orphaned`,
};

/** Whether a lane has no owner, or one whose lease is over. Looked at often: two looks into small indexes. */
export async function isAnyOrphaned(tx: Queryable): Promise<boolean> {
  return (await tx.query<{ orphaned: boolean }>(isOrphaned))[0]?.orphaned ?? false;
}

const view = {
  name: 'lanes_view',
  text: `
select i.id, (select count(*) from lanes l where l.owner = i.id)::int as lanes, (select count(*) from lanes)::int as total,
  i.expires_at > clock_timestamp() and i.expires_at <= clock_timestamp() + interval '${LONGEST_LEASE} ms' as living,
  i.expires_at > clock_timestamp() + interval '${LONGEST_LEASE} ms'
    or i.expires_at < clock_timestamp() - interval '1 minute' as forgettable
from instances i order by i.id`,
};

/** How the lanes are shared, and whether rows of instances can be forgotten. */
export async function findLaneView(tx: Queryable): Promise<LaneView & { forgettable: boolean }> {
  const rows = await tx.query<{ id: InstanceId; lanes: number; total: number; living: boolean; forgettable: boolean }>(
    view,
  );
  return {
    living: rows.filter((row) => row.living),
    total: rows[0]?.total ?? 0,
    forgettable: rows.some((row) => row.forgettable),
  };
}
