import { type Db, isUniqueViolation, type Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
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
import { DEFAULT_APP, place } from './set-up.ts';

/** What a new sender is given. What its channel needs has to be there; the rest may be absent. */
export interface NewSender extends Partial<SenderSettings>, Partial<Omit<SenderRoute, 'channel'>>, SenderSecrets {
  /** whatsapp if absent. */
  channel?: ChannelName;
  /** Its business portfolio, whose limits its numbers share. Its account stands for it if absent. */
  portfolio_id?: string;
}

/** What can be changed of a sender; what is absent stays. Which number or portfolio it is, it stays. */
export interface SenderChange
  extends Partial<SenderSettings>,
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

/** Meta's default for a number. */
const USUAL_RATE = 80;

export function createSenders({ db, signals, sealer }: SenderDeps): SenderActions {
  async function write<T extends object | string>(work: (tx: Queryable) => Promise<T>): Promise<T | Taken> {
    const result = await retryingOnConflict(() => orTaken(db.transaction(work)));
    if (typeof result === 'object') signals.notify('senders');
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
        const lane = await ensureLane(tx, portfolioOf(id, sender));
        if (values.is_default) await dropOtherDefault(tx, tenant, id);
        const app = channel === 'whatsapp' ? DEFAULT_APP : null;
        await insertSenderValues(tx, tenant, id, { lane, app }, values);
        return written(await findSenderRecord(tx, tenant, id));
      });
    },
    async change(tenant, reference, change) {
      const result = await write(async (tx) => {
        const before = await findSenderRecord(tx, tenant, reference);
        if (before === null) return 'not_found';
        checkSenderFields(before.channel, { ...change }, false);
        const { access_token, webhook_key, ...rest } = change;
        const values = { ...before, ...rest, ...sealed(tenant, before.id, change) };
        checkPace(values);
        if (values.is_default) await dropOtherDefault(tx, tenant, before.id);
        await updateSenderValues(tx, tenant, before.id, values, webhook_key === null);
        // Another token, or another try: what was said of the old one is no fact any more.
        if (access_token !== undefined || (values.enabled && !before.enabled)) {
          await forgetNumberFact(tx, tenant, before.id);
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
    messages_per_second: sender.messages_per_second ?? USUAL_RATE,
    per_minute: sender.per_minute ?? null,
    per_day: sender.per_day ?? null,
    batch_size: sender.batch_size ?? null,
    processing_interval_ms: sender.processing_interval_ms ?? null,
    is_default: false,
    enabled: sender.enabled ?? true,
  };
}

/** A webhook shares its limits with no other. */
function portfolioOf(id: SenderId, { channel, portfolio_id, account_id }: NewSender): string {
  return channel === 'webhook' ? `webhook:${id}` : (portfolio_id ?? account_id ?? id);
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
