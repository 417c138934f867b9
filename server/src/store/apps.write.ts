import type { Queryable } from '../db/pool.ts';

export interface NewAppRow {
  id: string;
  meta_app_id: string | null;
  app_secret_sealed: Buffer;
  verify_token_sealed: Buffer;
}

const insertOne = {
  name: 'apps_insert',
  text: 'insert into apps (id, meta_app_id, app_secret_sealed, verify_token_sealed) values ($1, $2, $3, $4)',
};

/** Makes an app. @throws on `apps_pkey` when there is one of that name. */
export async function insertApp(tx: Queryable, app: NewAppRow): Promise<void> {
  await tx.query(insertOne, [app.id, app.meta_app_id, app.app_secret_sealed, app.verify_token_sealed]);
}

/** What is changed of an app; null stays as it is. */
export interface AppValues {
  /** undefined: stays; null: is taken away. */
  meta_app_id: string | null | undefined;
  app_secret_sealed: Buffer | null;
  verify_token_sealed: Buffer | null;
  /** With a new secret: milliseconds in which the one before is believed as well. */
  overlap: number;
}

const updateOne = {
  name: 'apps_update',
  text: `
update apps set meta_app_id = case when $2 then $3 else meta_app_id end,
  previous_secret_sealed = case when $4::bytea is null then previous_secret_sealed when $6::float8 > 0 then app_secret_sealed end,
  previous_until = case when $4::bytea is null then previous_until
    when $6 > 0 then clock_timestamp() + $6 * interval '1 ms' end,
  app_secret_sealed = coalesce($4, app_secret_sealed), verify_token_sealed = coalesce($5, verify_token_sealed)
where id = $1 returning id`,
};

/**
 * Changes an app. The secret before a new one stays sealed for its own place, which is the same.
 * @returns false: there is none of that name.
 */
export async function updateApp(tx: Queryable, id: string, values: AppValues): Promise<boolean> {
  const { meta_app_id, app_secret_sealed, verify_token_sealed, overlap } = values;
  const rows = await tx.query(updateOne, [
    id,
    meta_app_id !== undefined,
    meta_app_id ?? null,
    app_secret_sealed,
    verify_token_sealed,
    overlap,
  ]);
  return rows.length === 1;
}

const deleteOne = {
  name: 'apps_delete',
  text: `
delete from apps p where p.id = $1
  and not exists (select from senders where app_id = $1) and not exists (select from accounts where app_id = $1)
returning p.id`,
};

/** Deletes an app that no sender and no account is of. @returns false when one is, and nothing was done. */
export async function deleteUnusedApp(tx: Queryable, id: string): Promise<boolean> {
  return (await tx.query(deleteOne, [id])).length === 1;
}
