import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { MOST_EXPORTS, nextExportTry } from '../domain/export.ts';
import { type ExportId, type InstanceId, isUuid, newId, type TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { type ExportRecord, findExport } from '../store/exports.read.ts';
import {
  advanceExport,
  cancelExport,
  countExports,
  type ExportStep,
  expireExport,
  failExport,
  forgetExport,
  type HeldExport,
  insertExport,
  type LeftExport,
  listLeftExports,
  lockExports,
  type NewExport,
  releaseExport,
  renewExport,
  stripExport,
  takeOpenExport,
} from '../store/exports.write.ts';

export type { HeldExport, LeftExport };

/** What a tenant does with its exports. */
export interface ExportActions {
  create(tenant: TenantId, asked: NewExport): Promise<ExportRecord | 'too_many' | 'busy'>;
  cancel(tenant: TenantId, id: string): Promise<ExportRecord | 'not_found' | 'ended'>;
  /** Its files go with it, a moment later. */
  remove(tenant: TenantId, id: string): Promise<'removed' | 'not_found' | 'open'>;
}

/** The topic of the signal that there is something to write, or to remove. */
export const EXPORTS = 'exports';

/** @param keep milliseconds that an export is kept when it has ended. */
export function createExports({ db, signals, keep }: { db: Db; signals: Signals; keep: number }): ExportActions {
  return {
    async create(tenant, asked) {
      const made = await db.inTurn(async (tx) => {
        await lockExports(tx, tenant);
        const { kept, open } = await countExports(tx, tenant);
        if (open >= MOST_EXPORTS.open) return 'busy';
        if (kept >= MOST_EXPORTS.kept) return 'too_many';
        return insertExport(tx, tenant, newId<ExportId>(), asked);
      });
      if (typeof made !== 'string') signals.notify(EXPORTS);
      return made;
    },

    async cancel(tenant, id) {
      const found = await findExport(db, tenant, id);
      if (found === null) return 'not_found';
      const cancelled = await retryingOnConflict(() => cancelExport(db, tenant, found.id, keep));
      if (cancelled === null) return 'ended';
      signals.notify(EXPORTS);
      return cancelled;
    },

    async remove(tenant, id) {
      if (!isUuid(id) || (await findExport(db, tenant, id)) === null) return 'not_found';
      const removed = await retryingOnConflict(() => expireExport(db, tenant, id as ExportId));
      if (!removed) return 'open';
      signals.notify(EXPORTS);
      return 'removed';
    },
  };
}

/** Takes the export that was left alone longest, for `lease` ms; null: there is nothing to do. */
export function takeExport(db: Queryable, instance: InstanceId, lease: number): Promise<HeldExport | null> {
  return retryingOnConflict(() => takeOpenExport(db, instance, lease));
}

/** Holds an export on. @returns false: it was cancelled, or is somebody else's. */
export function holdExport(db: Queryable, held: HeldExport, lease: number): Promise<boolean> {
  return retryingOnConflict(() => renewExport(db, held, lease));
}

/** Lets go of an export before it is complete: the next may go on at once. */
export function letGoOfExport(db: Queryable, held: HeldExport): Promise<void> {
  return retryingOnConflict(() => releaseExport(db, held));
}

/** Records what was written. @returns false: it was cancelled, or is somebody else's, and nothing is recorded. */
export function recordExportStep(
  db: Queryable,
  held: HeldExport,
  step: ExportStep,
  { lease, keep }: { lease: number; keep: number },
): Promise<boolean> {
  return retryingOnConflict(() => advanceExport(db, held, step, lease, keep));
}

/** Records that a try failed: it is tried again, ever more rarely, or given up. @returns whether it is given up. */
export async function recordExportFailure(
  db: Queryable,
  held: HeldExport,
  error: string,
  keep: number,
): Promise<boolean> {
  const delay = nextExportTry(held.tries + 1);
  await retryingOnConflict(() => failExport(db, held, error.slice(0, 500), delay, keep));
  return delay === null;
}

/** Exports whose files are to be removed, of all tenants, at most `limit` of a kind. */
export function findLeftExports(db: Queryable, limit: number): Promise<LeftExport[]> {
  return listLeftExports(db, limit);
}

/** Records that the files of an export are gone; what has expired goes with them. */
export async function recordFilesRemoved(db: Queryable, { tenant_id, id, expired }: LeftExport): Promise<void> {
  await retryingOnConflict(() => (expired ? forgetExport(db, tenant_id, id) : stripExport(db, tenant_id, id)));
}
