import type { Queryable } from '../db/pool.ts';
import type { MediaId, SenderId, TenantId } from '../domain/ids.ts';
import type { StoredMedia } from '../domain/media-files.ts';

const insert = {
  name: 'media_insert',
  text: `
with cleared as (
  delete from media_removals where tenant_id = $1 and sha256 = $3 and not taken
), added as (
  insert into media (tenant_id, id, sha256, size, mime_type, kind, animated, source, filename)
  select $1, $2, $3, $4, $5, $6, $7, $8, $9
  where not exists (select from media_removals where tenant_id = $1 and sha256 = $3 and taken)
  on conflict (tenant_id, sha256) do nothing
  returning id
)
select id, true as fresh from added
union all
select id, false from media where tenant_id = $1 and sha256 = $3`,
};

/**
 * Notes a file whose bytes are stored. One of the same content that the tenant has already stays, and is the answer.
 * @returns null while bytes of that content are being removed: they have to be stored anew.
 */
export async function insertMedia(
  tx: Queryable,
  tenant: TenantId,
  file: StoredMedia & { id: MediaId; source: 'upload' | 'url' | 'inbound' },
): Promise<{ id: MediaId; fresh: boolean } | null> {
  const { id, sha256, size, mime_type, kind, animated, source, filename } = file;
  const [row] = await tx.query<{ id: MediaId; fresh: boolean }>(insert, [
    tenant,
    id,
    sha256,
    size,
    mime_type,
    kind,
    animated,
    source,
    filename,
  ]);
  return row ?? null;
}

/** How long bytes stay after their row is gone. Longer than it takes to note a file whose bytes were just stored. Seconds. */
const REMOVED_AFTER = 60;

const remove = {
  name: 'media_remove',
  text: `
with unfinished as materialized (
  select id from batches where tenant_id = $1 and not complete
), gone as (
  delete from media m where m.tenant_id = $1 and m.id = $2 and not exists (
    select from media_references r join due d on d.tenant_id = r.tenant_id and d.message_id = r.message_id
    where r.tenant_id = $1 and r.media_id = $2)
  -- Messages of a batch that is still being stored have no work yet.
  and not exists (
    select from unfinished b join messages o on o.tenant_id = $1 and o.batch_id = b.id and o.state = 'queued'
    where exists (select from media_references r where r.tenant_id = $1 and r.message_id = o.id and r.media_id = $2))
  returning m.tenant_id, m.id, m.sha256
), uploads as (
  delete from media_uploads u using gone g where u.tenant_id = $1 and u.media_id = g.id
), removal as (
  insert into media_removals (tenant_id, sha256, due_at)
  select tenant_id, sha256, clock_timestamp() + interval '${REMOVED_AFTER} s' from gone
  on conflict (tenant_id, sha256) do update set taken = false, due_at = excluded.due_at
)
select exists (select from gone) as gone,
  exists (select from media where tenant_id = $1 and id = $2) as known`,
};

/** Deletes a file that no open message is to send, one of a batch that is still being stored included; that its bytes are to be removed is noted with it. */
export async function deleteMedia(
  tx: Queryable,
  tenant: TenantId,
  id: MediaId,
): Promise<'deleted' | 'not_found' | 'in_use'> {
  const [row] = await tx.query<{ gone: boolean; known: boolean }>(remove, [tenant, id]);
  if (!row?.known) return 'not_found';
  return row.gone ? 'deleted' : 'in_use';
}

/** Bytes that no row holds any more. */
export interface MediaRemoval {
  tenant_id: TenantId;
  sha256: Buffer;
}

const takeRemovals = {
  name: 'media_take_removals',
  text: `
with x as materialized (
  select tenant_id, sha256 from media_removals where due_at <= now() order by due_at limit $1 for update skip locked
), kept as (
  delete from media_removals r using x where r.tenant_id = x.tenant_id and r.sha256 = x.sha256
    and exists (select from media m where m.tenant_id = x.tenant_id and m.sha256 = x.sha256)
)
update media_removals r set taken = true, due_at = clock_timestamp() + $2 * interval '1 ms'
from x where r.tenant_id = x.tenant_id and r.sha256 = x.sha256
  and not exists (select from media m where m.tenant_id = x.tenant_id and m.sha256 = x.sha256)
returning r.tenant_id, r.sha256`,
};

/**
 * Takes bytes that are to be removed now, at most `limit`. Until that is told to be done nothing of the same content is noted;
 * after `again` milliseconds they are due once more.
 */
export function takeMediaRemovals(tx: Queryable, limit: number, again: number): Promise<MediaRemoval[]> {
  return tx.query<MediaRemoval>(takeRemovals, [limit, again]);
}

const finishRemoval = {
  name: 'media_finish_removal',
  text: 'delete from media_removals where tenant_id = $1 and sha256 = $2 and taken',
};

/** Notes that bytes are removed. */
export async function finishMediaRemoval(tx: Queryable, { tenant_id, sha256 }: MediaRemoval): Promise<void> {
  await tx.query(finishRemoval, [tenant_id, sha256]);
}

const writeUpload = {
  name: 'media_write_upload',
  text: `
insert into media_uploads (tenant_id, sender_id, media_id, provider_id, expires_at)
select $1, $2, $3, $4, clock_timestamp() + $5 * interval '1 ms'
where exists (select from media where tenant_id = $1 and id = $3)
on conflict (tenant_id, sender_id, media_id) do update set provider_id = excluded.provider_id,
  uploaded_at = excluded.uploaded_at, expires_at = excluded.expires_at`,
};

/** Remembers the provider's id of a file for a sender. @param validity milliseconds from now. */
export async function writeMediaUpload(
  tx: Queryable,
  tenant: TenantId,
  upload: { sender: SenderId; media: MediaId; providerId: string; validity: number },
): Promise<void> {
  await tx.query(writeUpload, [tenant, upload.sender, upload.media, upload.providerId, upload.validity]);
}

const forgetUpload = {
  name: 'media_forget_upload',
  text: `
delete from media_uploads where tenant_id = $1 and sender_id = $2 and media_id = $3 and provider_id = $4`,
};

/** Forgets a provider's id that it knows no longer. A newer one stays. */
export async function deleteMediaUpload(
  tx: Queryable,
  tenant: TenantId,
  upload: { sender: SenderId; media: MediaId; providerId: string },
): Promise<void> {
  await tx.query(forgetUpload, [tenant, upload.sender, upload.media, upload.providerId]);
}
