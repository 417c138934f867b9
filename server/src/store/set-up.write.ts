import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

/** What the first start writes, and what each start reads of it. */
const findSetting = { name: 'setting_find', text: 'select value from settings where key = $1' };
const insertSetting = {
  name: 'setting_insert',
  text: 'insert into settings (key, value) values ($1, $2::jsonb) on conflict do nothing',
};

const upsertSetting = {
  name: 'setting_upsert',
  text: `
insert into settings (key, value) values ($1, $2::jsonb) on conflict (key) do update set value = excluded.value`,
};

/** A fact of the installation. */
export async function findInstallationFact(tx: Queryable, key: string): Promise<unknown> {
  return (await tx.query<{ value: unknown }>(findSetting, [key]))[0]?.value;
}

/** Keeps a fact of the installation, unless it is known already. */
export async function insertInstallationFact(tx: Queryable, key: string, value: unknown): Promise<void> {
  await tx.query(insertSetting, [key, JSON.stringify(value)]);
}

/** Keeps a fact of the installation in the place of what was known. */
export async function writeInstallationFact(tx: Queryable, key: string, value: unknown): Promise<void> {
  await tx.query(upsertSetting, [key, JSON.stringify(value)]);
}

const lock = { name: 'set_up_lock', text: 'select pg_advisory_xact_lock(4711027)' };

/** Lets one instance at a time set up, until the transaction ends. */
export async function lockSetUp(tx: Queryable): Promise<void> {
  await tx.query(lock);
}

const findTenant = { name: 'tenant_find_first', text: 'select id from tenants order by created_at, id limit 1' };
const insertTenantRow = { name: 'tenant_insert', text: 'insert into tenants (id, name) values ($1, $2)' };

/** The first tenant there is. */
export async function findFirstTenant(tx: Queryable): Promise<TenantId | undefined> {
  return (await tx.query<{ id: TenantId }>(findTenant))[0]?.id;
}

export async function insertTenant(tx: Queryable, id: TenantId, name: string): Promise<void> {
  await tx.query(insertTenantRow, [id, name]);
}

const findKey = {
  name: 'api_key_state',
  text: `
select tenant_id = $1 and revoked_at is null and (expires_at is null or expires_at > now()) as valid
from api_keys where key_hash = $2`,
};
const insertKey = {
  name: 'api_key_insert',
  text: 'insert into api_keys (tenant_id, id, name, key_hash, scopes) values ($1, $2, $3, $4, $5)',
};

/** Whether a key is valid for a tenant; null: nobody has it, so it may be made. @param hash SHA-256 of the key. */
export async function findKeyState(tx: Queryable, tenant: TenantId, hash: Buffer): Promise<'valid' | 'ended' | null> {
  const [row] = await tx.query<{ valid: boolean }>(findKey, [tenant, hash]);
  return row === undefined ? null : row.valid ? 'valid' : 'ended';
}

export async function insertApiKey(
  tx: Queryable,
  tenant: TenantId,
  key: { id: string; name: string; hash: Buffer; scopes: readonly string[] },
): Promise<void> {
  await tx.query(insertKey, [tenant, key.id, key.name, key.hash, key.scopes]);
}

const findAppRow = {
  name: 'app_find',
  text: 'select id, app_secret_sealed, verify_token_sealed from apps where id = $1',
};
const upsertApp = {
  name: 'app_upsert',
  text: `
insert into apps (id, app_secret_sealed, verify_token_sealed) values ($1, $2, $3)
on conflict (id) do update set app_secret_sealed = excluded.app_secret_sealed,
  verify_token_sealed = excluded.verify_token_sealed`,
};

/** A Meta app, its secrets sealed. */
export interface AppRow {
  id: string;
  app_secret_sealed: Buffer;
  verify_token_sealed: Buffer;
}

export async function findApp(tx: Queryable, id: string): Promise<AppRow | undefined> {
  return (await tx.query<AppRow>(findAppRow, [id]))[0];
}

export async function writeApp(tx: Queryable, app: AppRow): Promise<void> {
  await tx.query(upsertApp, [app.id, app.app_secret_sealed, app.verify_token_sealed]);
}

const findSenders = {
  name: 'sender_find_of_tenant',
  text: `
select id, phone_number_id, phone, is_default from senders where tenant_id = $1 order by is_default desc, created_at, id`,
};
const insertLane = {
  name: 'lane_insert',
  text: `
insert into lanes (portfolio_id) values ($1) on conflict (portfolio_id) do update set portfolio_id = excluded.portfolio_id
returning id`,
};
const insertSenderRow = {
  name: 'sender_insert',
  text: `
insert into senders (tenant_id, id, name, channel, lane_id, app_id, phone_number_id, account_id, phone,
  access_token_sealed, messages_per_second, is_default, own_rate)
values ($1, $2, $3, 'whatsapp', $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
};
const updateToken = {
  name: 'sender_update_token',
  // What was said of the old token is no fact any more.
  text: `
update senders set access_token_sealed = $3, connected = null, connection_detail = null, connection_checked_at = null
where tenant_id = $1 and id = $2`,
};

export interface KnownSender {
  id: SenderId;
  /** null: it is a webhook. */
  phone_number_id: string | null;
  phone: string | null;
  is_default: boolean;
}

/** The senders of a tenant, its default one first. */
export function findTenantSenders(tx: Queryable, tenant: TenantId): Promise<KnownSender[]> {
  return tx.query<KnownSender>(findSenders, [tenant]);
}

export interface NewSender {
  id: SenderId;
  name: string;
  portfolio: string;
  app: string;
  phoneNumberId: string;
  accountId: string;
  phone: string;
  tokenSealed: Buffer;
  messagesPerSecond: number;
  isDefault: boolean;
  /** Whether the rate stays, whatever the provider says. true if absent. */
  ownRate?: boolean;
}

/** Makes a sender, and the lane of its portfolio if that is new. */
export async function insertSender(tx: Queryable, tenant: TenantId, sender: NewSender): Promise<void> {
  const [lane] = await tx.query<{ id: number }>(insertLane, [sender.portfolio]);
  await tx.query(insertSenderRow, [
    tenant,
    sender.id,
    sender.name,
    lane?.id,
    sender.app,
    sender.phoneNumberId,
    sender.accountId,
    sender.phone,
    sender.tokenSealed,
    sender.messagesPerSecond,
    sender.isDefault,
    sender.ownRate ?? true,
  ]);
}

/** Gives a sender another access token. */
export async function writeSenderToken(tx: Queryable, tenant: TenantId, id: SenderId, sealed: Buffer): Promise<void> {
  await tx.query(updateToken, [tenant, id, sealed]);
}

const dropDefault = {
  name: 'sender_drop_default',
  text: 'update senders set is_default = false where tenant_id = $1 and is_default',
};
const insertWebhookRow = {
  name: 'sender_insert_webhook',
  text: `
insert into senders (tenant_id, id, name, channel, lane_id, webhook_url, webhook_header, webhook_key_sealed, is_default)
values ($1, $2, $3, 'webhook', $4, $5, $6, $7, true)`,
};
const updateWebhookRow = {
  name: 'sender_update_webhook',
  text: `
update senders set webhook_url = $3, webhook_header = $4, webhook_key_sealed = $5
where tenant_id = $1 and id = $2 and channel = 'webhook' returning id`,
};

/** Where a webhook is, and the key it takes. */
export interface WebhookRow {
  id: SenderId;
  url: string;
  header: string;
  keySealed: Buffer | null;
}

/** Makes a webhook a tenant's default sender, with a lane of its own. */
export async function insertDefaultWebhook(tx: Queryable, tenant: TenantId, webhook: WebhookRow): Promise<void> {
  const [lane] = await tx.query<{ id: number }>(insertLane, [`webhook:${webhook.id}`]);
  await tx.query(dropDefault, [tenant]);
  await tx.query(insertWebhookRow, [
    tenant,
    webhook.id,
    new URL(webhook.url).host,
    lane?.id,
    webhook.url,
    webhook.header,
    webhook.keySealed,
  ]);
}

/** Gives a webhook another address and key. false: the tenant has none of that id. */
export async function updateWebhook(tx: Queryable, tenant: TenantId, webhook: WebhookRow): Promise<boolean> {
  const values = [tenant, webhook.id, webhook.url, webhook.header, webhook.keySealed];
  return (await tx.query<{ id: SenderId }>(updateWebhookRow, values)).length === 1;
}
