import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

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
  s.enabled and t.processing as active
from senders s join tenants t on t.id = s.tenant_id where s.lane_id = any($1::int[])`,
};

/** The senders of lanes, of all tenants: a lane is shared by whoever shares its limits. */
export function findLaneSenders(tx: Queryable, lanes: readonly number[]): Promise<LaneSender[]> {
  return tx.query<LaneSender>(findSenders, [lanes]);
}
