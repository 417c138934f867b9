import { type Db, isUniqueViolation, type Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { RATE_OF } from '../domain/account.ts';
import { newId, type SenderId, type TenantId } from '../domain/ids.ts';
import {
  type ChannelName,
  checkPace,
  checkSenderFields,
  type SenderRoute,
  type SenderSecrets,
  type SenderSettings,
} from '../domain/sender.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';
import { type AccountRecord, findAccount } from '../store/accounts.read.ts';
import { forgetNumberFact } from '../store/connections.write.ts';
import { findSenderRecord, type SenderRecord } from '../store/sender-records.read.ts';
import { findDefaultSender } from '../store/senders.read.ts';
import {
  deleteUnusedSender,
  dropOtherDefault,
  ensureLane,
  insertSenderValues,
  type SenderValues,
  updateSenderValues,
} from '../store/senders.write.ts';
import { tendSenders } from '../store/tending.write.ts';
import { ensureAccount, TEND } from './ensure-account.ts';
import { DEFAULT_APP, place } from './sealed-places.ts';

/** What a new sender is given. What its channel needs has to be there; the rest may be absent. */
export interface NewSender
  extends Partial<Omit<SenderSettings, 'messages_per_second'>>,
    Rate,
    Partial<Omit<SenderRoute, 'channel'>>,
    SenderSecrets {
  /** whatsapp if absent. */
  channel?: ChannelName;
  /** Its business portfolio, whose limits its numbers share. Its account stands for it if absent. */
  portfolio_id?: string;
}

interface Rate {
  /** null: what WhatsApp says of its throughput. */
  messages_per_second?: number | null;
}

/** What can be changed of a sender; what is absent stays. Which number or portfolio it is, it stays. */
export interface SenderChange
  extends Partial<Omit<SenderSettings, 'messages_per_second'>>,
    Rate,
    Partial<Omit<SenderRoute, 'channel' | 'phone_number_id'>>,
    SenderSecrets {}

export interface SenderActions {
  /**
   * Makes a sender, and a lane for its portfolio when that is new. A tenant's first sender is its default one unless it says
   * otherwise. `exists`: another of the tenant has this external id; `number_taken`: the number is somebody's sender already.
   * @throws {AldisError} `missing_field`, `invalid_field`: it does not fit its channel.
   */
  create(tenant: TenantId, sender: NewSender): Promise<SenderRecord | 'exists' | 'number_taken'>;
  /** @param reference own or external id. @throws {AldisError} as `create`. */
  change(tenant: TenantId, reference: string, change: SenderChange): Promise<SenderRecord | 'not_found' | 'exists'>;
  /** Deletes a sender that has never sent or received. */
  remove(tenant: TenantId, reference: string): Promise<SenderRecord | 'not_found' | 'in_use'>;
}

export interface SenderDeps {
  db: Db;
  signals: Signals;
  sealer: Sealer;
}

export function createSenders({ db, signals, sealer }: SenderDeps): SenderActions {
  async function write<T extends object | string>(work: (tx: Queryable) => Promise<T>): Promise<T | Taken> {
    const result = await retryingOnConflict(() => orTaken(db.transaction(work)));
    if (typeof result === 'object') {
      signals.notify('senders');
      signals.notify('accounts');
    }
    return result;
  }

  const sealed = (tenant: TenantId, id: SenderId, { access_token, webhook_key }: SenderSecrets) => ({
    access_token_sealed: access_token === undefined ? null : sealer.seal(access_token, place.accessToken(tenant, id)),
    webhook_key_sealed: webhook_key == null ? null : sealer.seal(webhook_key, place.webhookKey(tenant, id)),
  });

  return {
    async create(tenant, sender) {
      const channel = sender.channel ?? 'whatsapp';
      checkSenderFields(channel, { ...sender }, true);
      const id = newId<SenderId>();
      return write(async (tx) => {
        const values = { ...newValues(channel, sender), ...sealed(tenant, id, sender) };
        values.is_default = sender.is_default ?? (await findDefaultSender(tx, tenant)) === null;
        checkPace(values);
        const account = sender.account_id == null ? null : await findAccount(tx, tenant, sender.account_id);
        const lane = await ensureLane(tx, portfolioOf(id, sender, account));
        if (values.is_default) await dropOtherDefault(tx, tenant, id);
        const app = channel === 'whatsapp' ? (account?.app ?? DEFAULT_APP) : null;
        await insertSenderValues(tx, tenant, id, { lane, app }, values);
        if (app !== null && sender.account_id != null && sender.access_token !== undefined) {
          await ensureAccount(tx, sealer, tenant, {
            account: sender.account_id,
            app,
            access_token: sender.access_token,
          });
        }
        return written(await findSenderRecord(tx, tenant, id));
      });
    },
    async change(tenant, reference, change) {
      const result = await write(async (tx) => {
        const before = await findSenderRecord(tx, tenant, reference);
        if (before === null) return 'not_found';
        checkSenderFields(before.channel, { ...change }, false);
        const { access_token, webhook_key, messages_per_second: rate, ...rest } = change;
        const own_rate = rate === undefined ? before.own_rate : rate !== null;
        const messages_per_second = rate === undefined ? before.messages_per_second : (rate ?? rateOf(before));
        const values = { ...before, ...rest, own_rate, messages_per_second, ...sealed(tenant, before.id, change) };
        checkPace(values);
        if (values.is_default) await dropOtherDefault(tx, tenant, before.id);
        await updateSenderValues(tx, tenant, before.id, values, webhook_key === null);
        // Another token, or another try: what was said of the old one is no fact any more.
        if (access_token !== undefined || (values.enabled && !before.enabled)) {
          await forgetNumberFact(tx, tenant, before.id);
        }
        // What waits for another token goes on.
        if (access_token !== undefined) {
          await tendSenders(tx, tenant, [before.id], TEND);
          if (values.account_id !== null && before.app_id !== null) {
            const number = { account: values.account_id, app: before.app_id, access_token };
            await ensureAccount(tx, sealer, tenant, number);
          }
        }
        return written(await findSenderRecord(tx, tenant, before.id));
      });
      if (result === 'number_taken') throw new Error('a change cannot take a number');
      return result;
    },
    async remove(tenant, reference) {
      const result = await write(async (tx) => {
        const before = await findSenderRecord(tx, tenant, reference);
        if (before === null) return 'not_found';
        return (await deleteUnusedSender(tx, tenant, before.id)) ? before : 'in_use';
      });
      if (result === 'exists' || result === 'number_taken') throw new Error('a deletion cannot take a name');
      return result;
    },
  };
}

function newValues(
  channel: ChannelName,
  sender: NewSender,
): Omit<SenderValues, 'access_token_sealed' | 'webhook_key_sealed'> {
  return {
    channel,
    phone: sender.phone ?? null,
    phone_number_id: sender.phone_number_id ?? null,
    account_id: sender.account_id ?? null,
    webhook_url: sender.webhook_url ?? null,
    webhook_header: sender.webhook_header ?? null,
    external_id: sender.external_id ?? null,
    name: sender.name ?? sender.phone ?? hostOf(sender.webhook_url),
    messages_per_second: sender.messages_per_second ?? RATE_OF.STANDARD,
    own_rate: sender.messages_per_second != null,
    per_minute: sender.per_minute ?? null,
    per_day: sender.per_day ?? null,
    batch_size: sender.batch_size ?? null,
    processing_interval_ms: sender.processing_interval_ms ?? null,
    is_default: false,
    enabled: sender.enabled ?? true,
    outside_window: sender.outside_window ?? 'refuse',
  };
}

/** A webhook shares its limits with no other. */
function portfolioOf(
  id: SenderId,
  { channel, portfolio_id, account_id }: NewSender,
  account: AccountRecord | null,
): string {
  return channel === 'webhook' ? `webhook:${id}` : (portfolio_id ?? account?.portfolio_id ?? account_id ?? id);
}

/** Messages a second by what WhatsApp says of the number. */
function rateOf({ throughput }: SenderRecord): number {
  return RATE_OF[throughput ?? 'STANDARD'];
}

function hostOf(url: string | null | undefined): string {
  return url == null ? '' : new URL(url).host;
}

type Taken = 'exists' | 'number_taken';

async function orTaken<T>(work: Promise<T>): Promise<T | Taken> {
  try {
    return await work;
  } catch (error) {
    if (isUniqueViolation(error, 'senders_external')) return 'exists';
    if (isUniqueViolation(error, 'senders_phone_number')) return 'number_taken';
    throw error;
  }
}

function written(row: SenderRecord | null): SenderRecord {
  if (row === null) throw new Error('a sender that was just written is not there');
  return row;
}
