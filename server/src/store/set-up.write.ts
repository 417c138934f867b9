import type { Queryable } from '../db/pool.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';

/** What the first start writes, and what each start reads of it. */
const findSetting = { name: 'setting_find', text: 'select value from settings where key = $1' };
const insertSetting = {
  name: 'setting_insert',
  text: 'insert into settings (key, value) values ($1, $2::jsonb) on conflict do nothing',
};

/** A fact of the installation. */
export async function findInstallationFact(tx: Queryable, key: string): Promise<unknown> {
  return (await tx.query<{ value: unknown }>(findSetting, [key]))[0]?.value;
}

/** Keeps a fact of the installation, unless it is known already. */
export async function insertInstallationFact(tx: Queryable, key: string, value: unknown): Promise<void> {
  await tx.query(insertSetting, [key, JSON.stringify(value)]);
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
  name: 'api_key_known',
  text: `
select 1 as yes from api_keys where tenant_id = $1 and key_hash = $2 and revoked_at is null
  and (expires_at is null or expires_at > now())`,
};
const insertKey = {
  name: 'api_key_insert',
  text: 'insert into api_keys (tenant_id, id, name, key_hash, scopes) values ($1, $2, $3, $4, $5)',
};

/** Whether a key is valid for a tenant. @param hash SHA-256 of the key. */
export async function isKeyKnown(tx: Queryable, tenant: TenantId, hash: Buffer): Promise<boolean> {
  return (await tx.query(findKey, [tenant, hash])).length === 1;
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
  access_token_sealed, messages_per_second, is_default)
values ($1, $2, $3, 'whatsapp', $4, $5, $6, $7, $8, $9, $10, $11)`,
};
const updateToken = {
  name: 'sender_update_token',
  text: 'update senders set access_token_sealed = $3 where tenant_id = $1 and id = $2',
};

export interface KnownSender {
  id: SenderId;
  phone_number_id: string;
  phone: string;
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
  ]);
}

/** Gives a sender another access token. */
export async function writeSenderToken(tx: Queryable, tenant: TenantId, id: SenderId, sealed: Buffer): Promise<void> {
  await tx.query(updateToken, [tenant, id, sealed]);
}
