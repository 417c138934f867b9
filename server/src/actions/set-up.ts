import { randomBytes } from 'node:crypto';
import type { Db, Queryable } from '../db/pool.ts';
import { hashApiKey, newApiKey, type Scope, TENANT_SCOPES } from '../domain/api-key.ts';
import { newId, type SenderId, type TenantId } from '../domain/ids.ts';
import type { Sealer } from '../runtime/sealer.ts';
import { findAccountToken, updateAccount } from '../store/accounts.write.ts';
import { updateApp } from '../store/apps.write.ts';
import {
  findApp,
  findFirstTenant,
  findInstallationFact,
  findKeyState,
  findTenantSenders,
  insertApiKey,
  insertDefaultWebhook,
  insertInstallationFact,
  insertSender,
  insertTenant,
  type KnownSender,
  lockSetUp,
  updateWebhook,
  writeApp,
  writeInstallationFact,
  writeSenderToken,
} from '../store/set-up.write.ts';
import { tendSenders } from '../store/tending.write.ts';
import { ensureAccount, TEND } from './ensure-account.ts';
import { DEFAULT_APP, place } from './sealed-places.ts';

export { DEFAULT_APP, place };

/**
 * Setting up: the first start makes a tenant, its key, the default app and its first senders; each later start finds them.
 * All of it is one transaction under a lock, so that a crash leaves nothing half made.
 */
export interface SetUpOptions {
  sealer: Sealer;
  /** Keys that may be used on: of the last start or of the configuration. Unknown ones are made. */
  apiKey: string | null;
  operatorKey: string | null;
  /** The app's secrets, where the configuration gives them. */
  appSecret: string | null;
  verifyToken: string | null;
  /** Numbers the tenant is to have. Those it has are left, but for a new token. */
  numbers: readonly NumberToHave[];
  /** A webhook it is to have: made as its default sender, and later found by its being the configured one. */
  webhook?: WebhookToHave | null;
}

export interface WebhookToHave {
  url: string;
  /** The header that the key travels in. */
  header: string;
  apiKey: string | null;
}

export interface NumberToHave {
  phoneNumberId: string;
  accountId: string;
  portfolio: string;
  phone: string;
  accessToken: string;
  messagesPerSecond: number;
  /** Whether that rate stays, whatever WhatsApp says of the number's throughput. */
  ownRate?: boolean;
}

/** What a start has at hand: the secrets of credentials.json. */
export interface Installation {
  tenant: TenantId;
  apiKey: string;
  operatorKey: string;
  appSecret: string;
  verifyToken: string;
  /** The default one first. */
  senders: readonly KnownSender[];
  /** Secret bytes that mark our attempts. */
  markKey: Buffer;
}

/** It names users too, so that the documented requests of chat-service work with it. */
const FIRST_SCOPES: readonly Scope[] = [...TENANT_SCOPES, 'act_as'];
const OPERATOR_SCOPES: readonly Scope[] = [...TENANT_SCOPES, 'admin'];
/** The first fact of an installation, by which it is known. */
const MARK_KEY = 'mark_key';

/**
 * Finds or makes what a start needs.
 * @throws {WrongKey} when the encryption key is not the one this database was set up with.
 */
export function setUp(db: Db, options: SetUpOptions): Promise<Installation> {
  return db.inTurn(async (tx) => {
    await lockSetUp(tx);
    const markKey = Buffer.from(await secretFact(tx, options.sealer, MARK_KEY), 'base64');
    const app = await ensureApp(tx, options);
    let tenant = await findFirstTenant(tx);
    if (!tenant) {
      tenant = newId<TenantId>();
      await insertTenant(tx, tenant, 'default');
    }
    const apiKey = await ensureKey(tx, tenant, options.apiKey, 'first start', FIRST_SCOPES);
    const operatorKey = await ensureKey(tx, tenant, options.operatorKey, 'operator', OPERATOR_SCOPES);
    await ensureSenders(tx, tenant, options);
    if (options.webhook) await ensureWebhook(tx, tenant, options.sealer, options.webhook);
    return { tenant, apiKey, operatorKey, ...app, senders: await findTenantSenders(tx, tenant), markKey };
  });
}

/** Whether a start has set the database up: its secrets are sealed. */
export async function isSetUp(db: Db): Promise<boolean> {
  return (await findInstallationFact(db, MARK_KEY)) !== undefined;
}

/** A random secret of the installation, sealed. It is also the canary: a wrong encryption key cannot open it. */
async function secretFact(tx: Queryable, sealer: Sealer, key: string): Promise<string> {
  const sealed = await findInstallationFact(tx, key);
  if (typeof sealed === 'string') return sealer.open(Buffer.from(sealed, 'base64'), place.fact(key));
  const secret = randomBytes(32).toString('base64');
  await insertInstallationFact(tx, key, sealer.seal(secret, place.fact(key)).toString('base64'));
  return secret;
}

/** Milliseconds in which the secret before another one in the configuration is believed as well. */
const APP_OVERLAP = 3_600_000;

async function ensureApp(
  tx: Queryable,
  { sealer, appSecret, verifyToken }: SetUpOptions,
): Promise<{ appSecret: string; verifyToken: string }> {
  const row = await findApp(tx, DEFAULT_APP);
  const known = row && {
    appSecret: sealer.open(row.app_secret_sealed, place.appSecret(DEFAULT_APP)),
    verifyToken: sealer.open(row.verify_token_sealed, place.verifyToken(DEFAULT_APP)),
  };
  const app = {
    appSecret: appSecret ?? known?.appSecret ?? randomBytes(16).toString('hex'),
    verifyToken: verifyToken ?? known?.verifyToken ?? randomBytes(16).toString('hex'),
  };
  if (known?.appSecret === app.appSecret && known.verifyToken === app.verifyToken) return app;
  const app_secret_sealed = sealer.seal(app.appSecret, place.appSecret(DEFAULT_APP));
  const verify_token_sealed = sealer.seal(app.verifyToken, place.verifyToken(DEFAULT_APP));
  if (!known) await writeApp(tx, { id: DEFAULT_APP, app_secret_sealed, verify_token_sealed });
  else {
    await updateApp(tx, DEFAULT_APP, {
      meta_app_id: undefined,
      // What was on its way is signed with the one before.
      app_secret_sealed: known.appSecret === app.appSecret ? null : app_secret_sealed,
      verify_token_sealed,
      overlap: APP_OVERLAP,
    });
  }
  return app;
}

async function ensureKey(
  tx: Queryable,
  tenant: TenantId,
  wanted: string | null,
  name: string,
  scopes: readonly string[],
): Promise<string> {
  // A key that was revoked, or has expired, stays so: another takes its place.
  const known = wanted === null ? null : await findKeyState(tx, tenant, hashApiKey(wanted));
  if (wanted !== null && known === 'valid') return wanted;
  const key = wanted !== null && known === null ? wanted : newApiKey();
  await insertApiKey(tx, tenant, { id: newId(), name, hash: hashApiKey(key), scopes });
  return key;
}

async function ensureSenders(tx: Queryable, tenant: TenantId, { sealer, numbers }: SetUpOptions): Promise<void> {
  const known = new Map((await findTenantSenders(tx, tenant)).map((sender) => [sender.phone_number_id, sender.id]));
  let hasDefault = known.size > 0;
  for (const number of numbers) {
    const id = known.get(number.phoneNumberId) ?? newId<SenderId>();
    const sealed = sealer.seal(number.accessToken, place.accessToken(tenant, id));
    await ensureNumberAccount(tx, tenant, sealer, number);
    if (known.has(number.phoneNumberId)) {
      await writeSenderToken(tx, tenant, id, sealed);
      await tendSenders(tx, tenant, [id], TEND);
      continue;
    }
    await insertSender(tx, tenant, {
      id,
      name: number.phone,
      portfolio: number.portfolio,
      app: DEFAULT_APP,
      phoneNumberId: number.phoneNumberId,
      accountId: number.accountId,
      phone: number.phone,
      tokenSealed: sealed,
      messagesPerSecond: number.messagesPerSecond,
      ownRate: number.ownRate ?? false,
      isDefault: !hasDefault,
    });
    hasDefault = true;
  }
}

/** The account of a configured number. One that is there for its numbers only follows the configuration's token. */
async function ensureNumberAccount(
  tx: Queryable,
  tenant: TenantId,
  sealer: Sealer,
  { accountId: account, accessToken: access_token }: NumberToHave,
): Promise<void> {
  await ensureAccount(tx, sealer, tenant, { account, app: DEFAULT_APP, access_token });
  const known = await findAccountToken(tx, tenant, account);
  if (known === null || known.add_numbers) return;
  const where = place.accountToken(tenant, account);
  if (opens(sealer, known.access_token_sealed, where) === access_token) return;
  const sealed = sealer.seal(access_token, where);
  await updateAccount(tx, tenant, account, { sealed, add_numbers: null, subscribe_wanted: null });
}

/** null: no key at hand opens it. */
function opens(sealer: Sealer, sealed: Buffer, where: string): string | null {
  try {
    return sealer.open(sealed, where);
  } catch {
    return null;
  }
}

/** The fact that tells which sender is the configured webhook. */
const CONFIGURED_WEBHOOK = 'webhook_sender';

async function ensureWebhook(tx: Queryable, tenant: TenantId, sealer: Sealer, webhook: WebhookToHave): Promise<void> {
  const { url, header, apiKey } = webhook;
  const rowOf = (id: SenderId) => ({
    id,
    url,
    header,
    keySealed: apiKey === null ? null : sealer.seal(apiKey, place.webhookKey(tenant, id)),
  });
  const known = await findInstallationFact(tx, CONFIGURED_WEBHOOK);
  if (typeof known === 'string' && (await updateWebhook(tx, tenant, rowOf(known as SenderId)))) return;
  const id = newId<SenderId>();
  await insertDefaultWebhook(tx, tenant, rowOf(id));
  await writeInstallationFact(tx, CONFIGURED_WEBHOOK, id);
}
