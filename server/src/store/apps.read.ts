import type { Queryable } from '../db/pool.ts';

/** A Meta app, without its secrets. */
export interface AppRecord {
  id: string;
  meta_app_id: string | null;
  /** Until when webhooks that are signed with the secret before are believed as well; null: they are not. */
  previous_until: Date | null;
  created_at: Date;
}

const COLUMNS = `
id, meta_app_id,
case when previous_secret_sealed is not null and previous_until > clock_timestamp() then previous_until end as previous_until,
created_at`;

const findOne = { name: 'apps_find', text: `select ${COLUMNS} from apps where id = $1` };

/** An app by its name here. Apps are the installation's, and precede tenants. */
export async function findAppRecord(tx: Queryable, id: string): Promise<AppRecord | null> {
  return (await tx.query<AppRecord>(findOne, [id]))[0] ?? null;
}

const listAll = { name: 'apps_list', text: `select ${COLUMNS} from apps where id > $1 order by id limit $2` };

/** Apps in the order of their names. @param after a page begins behind this one; '': at the first. */
export function listAppRecords(tx: Queryable, after: string, limit: number): Promise<AppRecord[]> {
  return tx.query<AppRecord>(listAll, [after, limit]);
}

/** The secrets of an app, sealed. */
export interface SealedApp {
  id: string;
  app_secret_sealed: Buffer;
  verify_token_sealed: Buffer;
  previous_secret_sealed: Buffer | null;
  previous_until: Date | null;
}

const listSealed = {
  name: 'apps_list_sealed',
  text: 'select id, app_secret_sealed, verify_token_sealed, previous_secret_sealed, previous_until from apps order by id',
};

/** All apps with their secrets: an operator makes a handful. */
export function listSealedApps(tx: Queryable): Promise<SealedApp[]> {
  return tx.query<SealedApp>(listSealed);
}
