import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import type { SenderRoute, SenderSettings } from '../domain/sender.ts';

/** What is written of a sender. A secret that is null is left as it is, or is none. */
export interface SenderValues extends SenderSettings, SenderRoute {
  access_token_sealed: Buffer | null;
  webhook_key_sealed: Buffer | null;
  /** Whether messages_per_second was set by a person: what the provider says of the throughput does not change it then. */
  own_rate: boolean;
}

const findLane = { name: 'senders_find_lane', text: 'select id from lanes where portfolio_id = $1' };
const insertLane = { name: 'senders_insert_lane', text: 'insert into lanes (portfolio_id) values ($1) returning id' };

/**
 * The lane of a portfolio, made when there is none. It is looked up first: writing the row of a lane that is at work would
 * wait for whoever works in it.
 */
export async function ensureLane(tx: Queryable, portfolio: string): Promise<number> {
  const [known] = await tx.query<{ id: number }>(findLane, [portfolio]);
  if (known) return known.id;
  const [made] = await tx.query<{ id: number }>(insertLane, [portfolio]);
  if (!made) throw new Error('a lane that was just made is not there');
  return made.id;
}

const dropDefault = {
  name: 'senders_drop_default',
  text: 'update senders set is_default = false where tenant_id = $1 and is_default and id <> $2',
};

/** Leaves no default sender but this one, if it is one. */
export async function dropOtherDefault(tx: Queryable, tenant: TenantId, id: SenderId): Promise<void> {
  await tx.query(dropDefault, [tenant, id]);
}

const insertOne = {
  name: 'senders_insert',
  text: `
insert into senders (tenant_id, id, lane_id, app_id, channel, phone_number_id, phone, account_id, webhook_url, webhook_header,
  external_id, name, messages_per_second, per_minute, per_day, batch_size, processing_interval_ms, is_default, enabled,
  outside_window, own_rate, access_token_sealed, webhook_key_sealed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
};

/**
 * Makes a sender.
 * @throws on `senders_external` when another of the tenant has its external id, on `senders_phone_number` when another, of
 *   whatever tenant, is this number.
 */
export async function insertSenderValues(
  tx: Queryable,
  tenant: TenantId,
  id: SenderId,
  place: { lane: number; app: string | null },
  sender: SenderValues,
): Promise<void> {
  const { channel, phone_number_id, access_token_sealed, webhook_key_sealed } = sender;
  await tx.query(insertOne, [
    tenant,
    id,
    place.lane,
    place.app,
    channel,
    phone_number_id,
    ...changingOf(sender),
    access_token_sealed,
    webhook_key_sealed,
  ]);
}

const updateOne = {
  name: 'senders_update',
  text: `
update senders set phone = $3, account_id = $4, webhook_url = $5, webhook_header = $6, external_id = $7, name = $8,
  messages_per_second = $9, per_minute = $10, per_day = $11, batch_size = $12, processing_interval_ms = $13,
  is_default = $14, enabled = $15, outside_window = $16, own_rate = $17,
  access_token_sealed = coalesce($18, access_token_sealed),
  webhook_key_sealed = case when $20 then null else coalesce($19, webhook_key_sealed) end
where tenant_id = $1 and id = $2`,
};

/**
 * Writes all that can be changed of a sender.
 * @param dropKey its webhook takes no key any more.
 * @throws on `senders_external` when another of the tenant has its external id.
 */
export async function updateSenderValues(
  tx: Queryable,
  tenant: TenantId,
  id: SenderId,
  sender: SenderValues,
  dropKey: boolean,
): Promise<void> {
  const { access_token_sealed, webhook_key_sealed } = sender;
  await tx.query(updateOne, [tenant, id, ...changingOf(sender), access_token_sealed, webhook_key_sealed, dropKey]);
}

function changingOf(sender: SenderValues): unknown[] {
  return [
    sender.phone,
    sender.account_id,
    sender.webhook_url,
    sender.webhook_header,
    sender.external_id,
    sender.name,
    sender.messages_per_second,
    sender.per_minute,
    sender.per_day,
    sender.batch_size,
    sender.processing_interval_ms,
    sender.is_default,
    sender.enabled,
    sender.outside_window,
    sender.own_rate,
  ];
}

const deleteOne = {
  name: 'senders_delete',
  text: `
delete from senders s where s.tenant_id = $1 and s.id = $2
  and not exists (select from messages m where m.tenant_id = $1 and m.sender_id = $2)
returning s.id`,
};

/** Deletes a sender that nothing has ever left or reached. @returns false when something has, and nothing was done. */
export async function deleteUnusedSender(tx: Queryable, tenant: TenantId, id: SenderId): Promise<boolean> {
  return (await tx.query(deleteOne, [tenant, id])).length === 1;
}
