import multipart from '@fastify/multipart';
import type { Kept } from '../../actions/keep-media.ts';
import { AldisError } from '../../domain/errors.ts';
import { isUuid, type MediaId, type TenantId } from '../../domain/ids.ts';
import type { MediaDraft } from '../../domain/media-files.ts';
import { LARGEST_DOCUMENT } from '../../domain/media-types.ts';
import { findMedia, listMedia, type MediaRow } from '../../store/media.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { requestOrigin } from '../request-origin.ts';
import { IdParameter } from '../schemas.ts';
import { takingAtMost } from '../slow-uploads.ts';
import { shareOfTenants } from '../tenant-share.ts';
import type { HttpApp, HttpRequest } from '../typebox-provider.ts';
import { MEDIA_ROUTES, MediaPage } from './media.schema.ts';

/** A part of a form beside the file is small, or none of ours. Bytes. */
const FIELD = 1024;
const LONGEST_NAME = 240;
/** Uploads of one tenant that arrive at once: a part of all there may be, so that the others' find room. */
const UPLOADS_OF_TENANT = 16;

/** A tenant's files: storing, finding, deleting. To be registered in a context of its own, for its bodies may be forms. */
export function mediaRoutes(app: HttpApp, { db, keys, media, clock }: HttpDeps): void {
  const reading = guard(keys, 'media:read');
  const writing = guard(keys, 'media:write');
  const { actions } = media;

  app.register(multipart, {
    // One byte more than the largest file: whoever reads it says that it is too large.
    limits: { fileSize: LARGEST_DOCUMENT + 1, files: 2, fields: 2, fieldSize: FIELD, fieldNameSize: FIELD, parts: 4 },
    throwFileSizeLimit: false,
  });

  const originOf = (request: HttpRequest) => media.publicUrl ?? requestOrigin(request);
  const inShare = shareOfTenants(UPLOADS_OF_TENANT);

  function view(base: string, tenant: TenantId, row: MediaRow) {
    const until = clock.now() + media.linkLifetime;
    const { id, kind, mime_type, size, sha256, animated, filename, source, created_at } = row;
    const url = new URL(`/media/${media.links.write(tenant, id, until)}`, base).href;
    const told = { url, url_expires_at: new Date(Math.floor(until / 1000) * 1000) };
    return {
      id,
      kind,
      mime_type,
      size,
      sha256: sha256.toString('hex'),
      animated,
      filename,
      source,
      created_at,
      ...told,
    };
  }

  async function keep(
    tenant: TenantId,
    draft: MediaDraft,
    about: { source: 'upload' | 'url'; filename: string | null },
  ): Promise<Kept> {
    try {
      return await actions.keep(tenant, draft, about);
    } finally {
      await draft.drop();
    }
  }

  app.post(
    '/api/v1/media',
    { schema: MEDIA_ROUTES.create, onRequest: [writing, takingAtMost(media.uploadTimeout)] },
    async (request, reply) => {
      const { tenant_id: tenant } = principalOf(request);
      const base = originOf(request);
      const kept = await inShare(tenant, async () => {
        if (request.isMultipart()) {
          const { draft, filename } = await draftOfForm(request, media.files.draft);
          return keep(tenant, draft, { source: 'upload', filename });
        }
        const { url, filename } = request.body ?? {};
        if (url === undefined)
          throw new AldisError('missing_field', 'url is required, or a form with a file.', { field: 'url' });
        const found = await draftOfUrl(url);
        return keep(tenant, found.draft, { source: 'url', filename: filename ?? plainName(found.filename) });
      });
      return reply.code(kept.fresh ? 201 : 200).send(view(base, tenant, kept.media));
    },
  );

  /** Nothing is fetched before there is room for a draft, and what is not read to its end is let go. */
  async function draftOfUrl(url: string): Promise<{ draft: MediaDraft; filename: string | null }> {
    let filename: string | null = null;
    async function* bytes() {
      const found = await media.fetchUrl(url);
      filename = found.filename;
      yield* found.bytes;
    }
    const draft = await media.files.draft(bytes(), 'sent');
    return { draft, filename };
  }

  app.get(
    '/api/v1/media',
    { schema: MEDIA_ROUTES.list, onRequest: reading, preValidation: integersOf(MediaPage) },
    async (request) => {
      const { tenant_id: tenant } = principalOf(request);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listMedia(db, tenant, before, limit),
      );
      const base = originOf(request);
      return { media: rows.map((row) => view(base, tenant, row)), next_cursor };
    },
  );

  app.get(
    '/api/v1/media/:id',
    { schema: { ...MEDIA_ROUTES.read, params: IdParameter }, onRequest: reading },
    async (request) => {
      const { tenant_id: tenant } = principalOf(request);
      const { id } = request.params;
      const [row] = isUuid(id) ? await findMedia(db, tenant, [id as MediaId]) : [];
      if (!row) throw notFound();
      return view(originOf(request), tenant, row);
    },
  );

  app.delete(
    '/api/v1/media/:id',
    { schema: { ...MEDIA_ROUTES.remove, params: IdParameter }, onRequest: writing },
    async (request) => {
      const { id } = request.params;
      const result = isUuid(id) ? await actions.remove(principalOf(request).tenant_id, id as MediaId) : 'not_found';
      if (result === 'not_found') throw notFound();
      if (result === 'in_use') {
        throw new AldisError('in_use', 'A message that has not left yet is to send this file: cancel it first.', {
          field: 'id',
        });
      }
      return { id, deleted: true };
    },
  );
}

/**
 * Reads a form of one file, as it comes.
 * @throws {AldisError} for what else is in it; nothing is left of the file then.
 */
async function draftOfForm(
  request: HttpRequest,
  draftOf: (bytes: AsyncIterable<Uint8Array>, source: 'sent') => Promise<MediaDraft>,
): Promise<{ draft: MediaDraft; filename: string | null }> {
  let found: { draft: MediaDraft; filename: string | null } | undefined;
  try {
    for await (const part of request.parts()) {
      // A part need not have a name, whatever its type says.
      const name: string | undefined = part.fieldname;
      if (name !== 'file') {
        const field = name?.slice(0, 100) || 'a part without a name';
        throw new AldisError('unknown_field', `${field} is not a part of this form; the file is called file.`, {
          field,
        });
      }
      if (part.type !== 'file') throw new AldisError('invalid_field', 'file must be a file.', { field: 'file' });
      if (found)
        throw new AldisError('invalid_field', 'The form has two files; send one at a time.', { field: 'file' });
      found = { draft: await draftOf(part.file, 'sent'), filename: plainName(part.filename) };
    }
    if (!found) throw new AldisError('missing_field', 'file is required.', { field: 'file' });
    return found;
  } catch (error) {
    await found?.draft.drop();
    // What still comes of the body is read and thrown away, so that its sender gets to the answer.
    request.raw.unpipe();
    request.raw.resume();
    throw error instanceof AldisError ? error : broken(error);
  }
}

/** What the reader of forms refuses, in our words. Everything else is passed on. */
function broken(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const text = error instanceof Error ? error.message : '';
  // Reading a form touches nothing but the connection it comes by and the disk: who breaks off is the one who sends it.
  const isForm =
    code.startsWith('FST_') || code === 'ECONNRESET' || /multipart|boundary|needle|header|premature/i.test(text);
  return isForm ? new AldisError('malformed_form') : error;
}

/** The last part of a name, without what cannot stand in one; null when nothing is left. */
function plainName(name: string | null | undefined): string | null {
  const last = (name ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? '';
  return (
    last
      .replaceAll(/\p{Cc}/gu, '')
      .trim()
      .slice(-LONGEST_NAME)
      .toWellFormed() || null
  );
}

function notFound(): AldisError {
  return new AldisError('not_found', 'There is no file of that id.', { field: 'id' });
}
