import { type Db, isUniqueViolation } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { AppSecrets } from '../domain/app-secrets.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';
import { type AppRecord, findAppRecord, type SealedApp } from '../store/apps.read.ts';
import { deleteUnusedApp, insertApp, updateApp } from '../store/apps.write.ts';
import { DEFAULT_APP, place } from './sealed-places.ts';

/** A Meta app: whose secret signs webhooks, at /webhooks/whatsapp/{id}. */
export interface NewApp {
  id: string;
  app_secret: string;
  verify_token: string;
  meta_app_id?: string | null;
}

/** What can be changed of an app; what is absent stays. */
export interface AppChange {
  app_secret?: string;
  verify_token?: string;
  meta_app_id?: string | null;
  /** Seconds in which the secret before a new one is believed as well. An hour if absent. */
  overlap?: number;
}

export interface AppActions {
  create(app: NewApp): Promise<AppRecord | 'exists'>;
  change(id: string, change: AppChange): Promise<AppRecord | 'not_found'>;
  /** Deletes an app that nothing is of. The default one stays: the bare webhook path is its own. */
  remove(id: string): Promise<AppRecord | 'not_found' | 'in_use'>;
}

/** Seconds: Meta sends again what was refused, so that an hour is more than a change in its dashboard needs. */
const OVERLAP = 3600;

export function createApps({ db, signals, sealer }: { db: Db; signals: Signals; sealer: Sealer }): AppActions {
  return {
    async create({ id, app_secret, verify_token, meta_app_id = null }) {
      const row = {
        id,
        meta_app_id,
        app_secret_sealed: sealer.seal(app_secret, place.appSecret(id)),
        verify_token_sealed: sealer.seal(verify_token, place.verifyToken(id)),
      };
      const made = await retryingOnConflict(() =>
        insertApp(db, row).then(
          () => true,
          (error: unknown) => {
            if (isUniqueViolation(error, 'apps_pkey')) return false;
            throw error;
          },
        ),
      );
      if (!made) return 'exists';
      signals.notify('apps');
      return written(await findAppRecord(db, id));
    },
    async change(id, { app_secret, verify_token, meta_app_id, overlap = OVERLAP }) {
      const values = {
        meta_app_id,
        app_secret_sealed: app_secret === undefined ? null : sealer.seal(app_secret, place.appSecret(id)),
        verify_token_sealed: verify_token === undefined ? null : sealer.seal(verify_token, place.verifyToken(id)),
        overlap: overlap * 1000,
      };
      if (!(await retryingOnConflict(() => updateApp(db, id, values)))) return 'not_found';
      signals.notify('apps');
      return written(await findAppRecord(db, id));
    },
    async remove(id) {
      const before = await findAppRecord(db, id);
      if (before === null) return 'not_found';
      if (id === DEFAULT_APP || !(await retryingOnConflict(() => deleteUnusedApp(db, id)))) return 'in_use';
      signals.notify('apps');
      return before;
    },
  };
}

/** Opens the secrets of an app. @throws {WrongKey} */
export function openApp(sealer: Sealer, row: SealedApp): AppSecrets {
  const { id, app_secret_sealed, verify_token_sealed, previous_secret_sealed, previous_until } = row;
  return {
    appSecret: sealer.open(app_secret_sealed, place.appSecret(id)),
    verifyToken: sealer.open(verify_token_sealed, place.verifyToken(id)),
    previous:
      previous_secret_sealed === null || previous_until === null
        ? null
        : { appSecret: sealer.open(previous_secret_sealed, place.appSecret(id)), until: previous_until.getTime() },
  };
}

function written(row: AppRecord | null): AppRecord {
  if (row === null) throw new Error('an app that was just written is not there');
  return row;
}
