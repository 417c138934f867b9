import type { Queryable } from '../db/pool.ts';
import { isUuid, type SenderId, type TenantId } from '../domain/ids.ts';
import type { ChannelName } from '../domain/sender.ts';

export interface SenderRow {
  id: SenderId;
  lane_id: number;
  channel: ChannelName;
  /** Its WhatsApp Business Account; null: a webhook, or not known. */
  account_id: string | null;
  /** What is done with what is no template when the customer's window is known to be closed. */
  outside_window: 'refuse' | 'send';
  /** null: not known yet, or a webhook. */
  phone: string | null;
  /** false: it accepts nothing. */
  enabled: boolean;
  /** What WhatsApp said last; null: it has not been asked. */
  connected: boolean | null;
  /** false: its tenant has stopped sending. */
  processing: boolean;
  /** Messages that it may accept on a day; null: what the configuration says. */
  per_day: number | null;
  /** Messages that its tenant may send in a month; null: what the configuration says. */
  monthly_quota: number | null;
  /** Whether the tenant service told us of it. */
  from_outlet: boolean;
}

const COLUMNS =
  's.id, s.lane_id, s.channel, s.account_id, s.outside_window, s.phone, s.enabled, s.connected, t.processing, s.per_day, t.monthly_quota, s.from_outlet';

const findAll = {
  name: 'senders_find',
  text: `
select distinct on (r.reference) r.reference, ${COLUMNS}
from unnest($2::text[], $3::uuid[]) as r(reference, id)
join senders s on s.tenant_id = $1 and (s.id = r.id or s.external_id = r.reference)
join tenants t on t.id = s.tenant_id
order by r.reference, (s.id = r.id) is true desc`,
};

/** The senders with these own or external ids, by the id that was asked for; an own id goes before. */
export async function findSenders(
  tx: Queryable,
  tenant: TenantId,
  references: readonly string[],
): Promise<Map<string, SenderRow>> {
  const ids = references.map((reference) => (isUuid(reference) ? reference : null));
  const rows = await tx.query<SenderRow & { reference: string }>(findAll, [tenant, references, ids]);
  return new Map(rows.map(({ reference, ...sender }) => [reference, sender]));
}

const findDefault = {
  name: 'senders_find_default',
  text: `select ${COLUMNS} from senders s join tenants t on t.id = s.tenant_id where s.tenant_id = $1 and s.is_default`,
};

/** The sender of requests that name none. */
export async function findDefaultSender(tx: Queryable, tenant: TenantId): Promise<SenderRow | null> {
  const [row] = await tx.query<SenderRow>(findDefault, [tenant]);
  return row ?? null;
}
