import { type Db, isUniqueViolation } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { findTenant, type TenantRow } from '../store/tenants.read.ts';
import { deleteTenant, insertTenantValues, type TenantValues, updateTenantValues } from '../store/tenants.write.ts';
import { noteQuietChange } from './lane-rules.ts';

/** What a new tenant may be given: all but its name may be absent. */
export type NewTenant = Partial<TenantValues> & Pick<TenantValues, 'name'>;

/** Tenants are made and changed by an operator. */
export interface TenantActions {
  /** `exists`: another has this external id. */
  create(tenant: NewTenant): Promise<TenantRow | 'exists'>;
  /** Changes what is named, and leaves the rest. @param reference own or external id. */
  change(reference: string, change: Partial<TenantValues>): Promise<TenantRow | 'not_found' | 'exists'>;
  /** Deletes a tenant without senders and conversations, its keys and its webhooks. What was sent, received or said is kept. */
  remove(reference: string): Promise<TenantRow | 'not_found' | 'in_use'>;
}

const UNNAMED: Omit<TenantValues, 'name'> = {
  external_id: null,
  monthly_quota: null,
  requests_per_second: null,
  request_burst: null,
  doubt_policy: {},
  processing: true,
  consent_keywords: null,
  quiet_hours: {},
  retention_days: null,
};

export function createTenants({ db, signals }: { db: Db; signals: Signals }): TenantActions {
  async function told<T extends object | string>(change: Promise<T>): Promise<T> {
    const result = await change;
    if (typeof result === 'object') {
      signals.notify('senders');
      signals.notify('keys');
    }
    return result;
  }

  return {
    create: (tenant) =>
      told(
        orExists(
          db.transaction(async (tx) => {
            const id = newId<TenantId>();
            await insertTenantValues(tx, id, { ...UNNAMED, ...tenant });
            return written(await findTenant(tx, id));
          }),
        ),
      ),
    change: (reference, change) =>
      told(
        retryingOnConflict(() =>
          orExists(
            db.transaction(async (tx) => {
              const before = await findTenant(tx, reference);
              if (before === null) return 'not_found';
              await updateTenantValues(tx, before.id, { ...before, ...change });
              if (change.quiet_hours !== undefined) await noteQuietChange(tx, before.id, Date.now());
              return written(await findTenant(tx, before.id));
            }),
          ),
        ),
      ),
    remove: (reference) =>
      told(
        retryingOnConflict(() =>
          db.transaction(async (tx) => {
            const before = await findTenant(tx, reference);
            if (before === null) return 'not_found';
            return (await deleteTenant(tx, before.id)) ? before : 'in_use';
          }),
        ),
      ),
  };
}

async function orExists<T>(write: Promise<T>): Promise<T | 'exists'> {
  try {
    return await write;
  } catch (error) {
    if (isUniqueViolation(error, 'tenants_external_id_key')) return 'exists';
    throw error;
  }
}

function written(row: TenantRow | null): TenantRow {
  if (row === null) throw new Error('a tenant that was just written is not there');
  return row;
}
