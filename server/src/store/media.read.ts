import { uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { MediaId, SenderId, TenantId } from '../domain/ids.ts';
import type { StoredMedia } from '../domain/media-files.ts';

/** A file of a tenant. */
export interface MediaRow extends StoredMedia {
  id: MediaId;
  source: 'upload' | 'url' | 'inbound';
  created_at: Date;
}

const COLUMNS = 'm.id, m.sha256, m.size, m.mime_type, m.kind, m.animated, m.source, m.filename, m.created_at';

const find = {
  name: 'media_find',
  text: `
select ${COLUMNS} from unnest($2::uuid[]) as i(id) join media m on m.tenant_id = $1 and m.id = i.id`,
};

/** Files by their ids; those that the tenant does not have are left out. */
export function findMedia(tx: Queryable, tenant: TenantId, ids: readonly MediaId[]): Promise<MediaRow[]> {
  return tx.query<MediaRow>(find, [tenant, uuids(ids, (id) => id)]);
}

const findByContent = {
  name: 'media_find_by_content',
  text: `select ${COLUMNS} from media m where m.tenant_id = $1 and m.sha256 = $2`,
};

/** The file with this content, or null when the tenant has none. */
export async function findMediaByContent(tx: Queryable, tenant: TenantId, sha256: Buffer): Promise<MediaRow | null> {
  const [row] = await tx.query<MediaRow>(findByContent, [tenant, sha256]);
  return row ?? null;
}

const list = {
  name: 'media_list',
  text: `
select ${COLUMNS} from media m
where m.tenant_id = $1 and m.id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by m.id desc limit $3`,
};

/** Files of a tenant, the newest first. @param before a page begins behind this one; null: at the newest. */
export function listMedia(tx: Queryable, tenant: TenantId, before: string | null, limit: number): Promise<MediaRow[]> {
  return tx.query<MediaRow>(list, [tenant, before, limit]);
}

/** A file, and what the provider calls it for a sender, if it was uploaded for that one. */
export interface UploadableMedia extends MediaRow {
  provider_id: string | null;
  uploaded_at: Date | null;
  expires_at: Date | null;
}

const findUploadable = {
  name: 'media_find_uploadable',
  text: `
select ${COLUMNS}, u.provider_id, u.uploaded_at, u.expires_at
from media m left join media_uploads u on u.tenant_id = m.tenant_id and u.sender_id = $2 and u.media_id = m.id
where m.tenant_id = $1 and m.id = $3`,
};

/** A file with the provider's id of it for a sender; null: the tenant has no such file. */
export async function findUploadableMedia(
  tx: Queryable,
  tenant: TenantId,
  sender: SenderId,
  id: MediaId,
): Promise<UploadableMedia | null> {
  const [row] = await tx.query<UploadableMedia>(findUploadable, [tenant, sender, id]);
  return row ?? null;
}
