import type { Queryable } from '../db/pool.ts';
import type { Throughput } from '../domain/account.ts';
import { isReference, isUuid, type SenderId, type TenantId } from '../domain/ids.ts';
import type { SenderRoute, SenderSettings } from '../domain/sender.ts';

/** A sender with all that may be told of it: everything but its secrets. */
export interface SenderRecord extends SenderSettings, SenderRoute {
  id: SenderId;
  portfolio_id: string | null;
  app_id: string | null;
  /** What the provider tells of the number; null: it was not asked, or this is a webhook. */
  verified_name: string | null;
  name_status: string | null;
  quality: string | null;
  throughput: Throughput | null;
  /** Of its account: people that may be written to first in 24 hours, shared by the portfolio. */
  messaging_limit: string | null;
  own_rate: boolean;
  connected: boolean | null;
  connection_detail: string | null;
  connection_checked_at: Date | null;
  created_at: Date;
}

const COLUMNS = `
s.id, s.external_id, s.name, s.channel, s.phone, s.phone_number_id, s.account_id,
case s.channel when 'whatsapp' then l.portfolio_id end as portfolio_id, s.app_id, s.webhook_url, s.webhook_header,
s.messages_per_second, s.per_minute, s.per_day, s.batch_size, s.processing_interval_ms, s.is_default, s.enabled,
s.outside_window, s.own_rate, s.verified_name, s.name_status, s.quality, s.throughput, a.messaging_limit,
s.connected, s.connection_detail, s.connection_checked_at, s.created_at`;

const SENDERS = `
senders s join lanes l on l.id = s.lane_id left join accounts a on a.app_id = s.app_id and a.id = s.account_id`;

const findOne = {
  name: 'sender_records_find',
  text: `
select ${COLUMNS} from ${SENDERS}
where s.tenant_id = $1 and (s.id = $2 or s.external_id = $3)
order by (s.id = $2) is true desc limit 1`,
};

/** The sender with this own or external id; an own id goes before. */
export async function findSenderRecord(
  tx: Queryable,
  tenant: TenantId,
  reference: string,
): Promise<SenderRecord | null> {
  if (!isReference(reference)) return null;
  const id = isUuid(reference) ? reference : null;
  const [row] = await tx.query<SenderRecord>(findOne, [tenant, id, reference]);
  return row ?? null;
}

const listAll = {
  name: 'sender_records_list',
  text: `
select ${COLUMNS} from ${SENDERS}
where s.tenant_id = $1 and s.id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by s.id desc limit $3`,
};

/** Senders of a tenant, the newest first. @param before a page begins behind this one; null: at the newest. */
export function listSenderRecords(
  tx: Queryable,
  tenant: TenantId,
  before: string | null,
  limit: number,
): Promise<SenderRecord[]> {
  return tx.query<SenderRecord>(listAll, [tenant, before, limit]);
}
