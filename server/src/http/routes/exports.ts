import { Readable } from 'node:stream';
import { create as contentDisposition } from 'content-disposition';
import { may } from '../../access/principal.ts';
import type { Scope } from '../../domain/api-key.ts';
import { AldisError } from '../../domain/errors.ts';
import { type ExportKind, exportFilename, exportType, type StoredMessageFilter } from '../../domain/export.ts';
import type { TenantId } from '../../domain/ids.ts';
import {
  countContacts,
  type ExportRecord,
  findExport,
  listExportParts,
  listExports,
} from '../../store/exports.read.ts';
import { byteRange } from '../byte-range.ts';
import { openExportFile } from '../export-file.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { messageTotal } from '../message-total.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp, HttpRequest } from '../typebox-provider.ts';
import { readAttribute } from './contacts.ts';
import { EXPORT_ROUTES, type ExportFilter, ExportPage, exportView, FILTER_FIELDS } from './exports.schema.ts';
import { messageFilter } from './message-filter.ts';

/** Most contacts that are counted for an export's total. */
const COUNTED = 10_000;

/** Exports of the key's tenant. */
export function exportRoutes(app: HttpApp, deps: HttpDeps): void {
  const { db, keys, exports, settings } = deps;
  const exporting = guard(keys, 'exports:write');

  app.post('/api/v1/exports', { schema: EXPORT_ROUTES.create, onRequest: exporting }, async (request, reply) => {
    const { tenant_id: tenant } = principalOf(request);
    const { kind, format, bom, filter = {} } = request.body;
    mayRead(request, kind);
    if (bom && format !== 'csv') throw new AldisError('invalid_field', 'bom is of csv only.', { field: 'bom' });
    for (const field of Object.keys(filter)) {
      if (FILTER_FIELDS[kind].has(field)) continue;
      throw new AldisError('unknown_field', `The list of ${kind} has no filter ${field}.`, {
        field: `filter.${field}`,
      });
    }
    const asked =
      kind === 'messages' ? await messagesAsked(deps, tenant, filter) : await contactsAsked(deps, tenant, filter);
    const made = await exports.actions.create(tenant, { kind, format, bom, asked: filter, ...asked });
    if (made === 'busy') throw new AldisError('exports_busy', undefined, { retryAfter: 5 });
    if (made === 'too_many') throw new AldisError('too_many_exports');
    return reply.code(202).send(exportView(made));
  });

  app.get(
    '/api/v1/exports',
    { schema: EXPORT_ROUTES.list, onRequest: exporting, preValidation: integersOf(ExportPage) },
    async (request) => {
      const { tenant_id: tenant } = principalOf(request);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listExports(db, tenant, before, limit),
      );
      return { exports: rows.map(exportView), next_cursor };
    },
  );

  async function find(request: HttpRequest, id: string): Promise<ExportRecord> {
    const found = await findExport(db, principalOf(request).tenant_id, id);
    if (found === null) throw notFound();
    return found;
  }

  app.get(
    '/api/v1/exports/:id',
    { schema: { ...EXPORT_ROUTES.read, params: IdParameter }, onRequest: exporting },
    async (request) => exportView(await find(request, request.params.id)),
  );

  app.post(
    '/api/v1/exports/:id/cancel',
    { schema: { ...EXPORT_ROUTES.cancel, params: IdParameter }, onRequest: exporting },
    async (request) => {
      const cancelled = await exports.actions.cancel(principalOf(request).tenant_id, request.params.id);
      if (cancelled === 'not_found') throw notFound();
      if (cancelled === 'ended') throw new AldisError('not_cancellable', 'The export has ended.', { field: 'id' });
      return exportView(cancelled);
    },
  );

  app.delete(
    '/api/v1/exports/:id',
    { schema: { ...EXPORT_ROUTES.remove, params: IdParameter }, onRequest: exporting },
    async (request) => {
      const { id } = request.params;
      const removed = await exports.actions.remove(principalOf(request).tenant_id, id);
      if (removed === 'not_found') throw notFound();
      if (removed === 'open')
        throw new AldisError('in_use', 'The export is not ended: cancel it first.', { field: 'id' });
      return { id, deleted: true };
    },
  );

  app.get(
    '/api/v1/exports/:id/download',
    { schema: { ...EXPORT_ROUTES.download, params: IdParameter }, onRequest: exporting },
    async (request, reply) => {
      const record = await find(request, request.params.id);
      const { id, kind, format, state, size, created_at } = record;
      mayRead(request, kind);
      if (state !== 'complete') throw notReady(record);
      const { tenant_id: tenant } = principalOf(request);
      const etag = `"${id}"`;
      const range = byteRange(request.headers, size, etag);
      if (range === 'none') {
        throw new AldisError('invalid_range', undefined, { field: 'Range', details: { size } });
      }
      const asked = range ?? { start: 0, end: size - 1 };
      const parts = await listExportParts(db, tenant, id);
      const bytes = await openExportFile(exports.files, { tenant, id, format, parts }, asked);
      if (bytes === null) throw new AldisError('not_found', 'The file of the export is gone.', { field: 'id' });
      reply
        .type(exportType(format))
        .header('content-length', asked.end - asked.start + 1)
        .header('content-disposition', contentDisposition(exportFilename(kind, format, created_at)))
        .header('accept-ranges', 'bytes')
        .header('etag', etag)
        .header('cache-control', 'private, no-store')
        .header('x-content-type-options', 'nosniff');
      if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`);
      // A time without any progress: who does not read is let go.
      reply.raw.setTimeout(settings.transport.write_timeout, () => reply.raw.destroy());
      // A file has no dialect.
      reply.serializer((payload: unknown) => payload as string);
      return reply.send(Readable.from(bytes, { objectMode: false }) as unknown as string);
    },
  );
}

/** What a list may not be read with, it may not be exported with either. */
function mayRead(request: HttpRequest, kind: ExportKind): void {
  const scope: Scope = kind === 'messages' ? 'messages:read' : 'contacts:read';
  if (may(principalOf(request), scope)) return;
  throw new AldisError('forbidden', `The key lacks the scope ${scope}.`, { details: { scope } });
}

/** The filter as it is looked for, and how many there are; null: nobody can tell at once. */
async function messagesAsked(
  deps: HttpDeps,
  tenant: TenantId,
  filter: ExportFilter,
): Promise<{ filter: StoredMessageFilter; total: number | null }> {
  const { phone: _, ...query } = filter;
  const found = await messageFilter(deps, tenant, { ...query, limit: 1 });
  if (found === null) {
    throw new AldisError('not_found', 'The filter names a record that does not exist.', { field: 'filter' });
  }
  const { total, capped } = await messageTotal(deps.db, tenant, found);
  const { from, until, ...same } = found;
  return {
    filter: { ...same, from: from?.toISOString(), until: until?.toISOString() },
    total: capped ? null : total,
  };
}

async function contactsAsked(
  { db }: HttpDeps,
  tenant: TenantId,
  { attribute, ...filter }: ExportFilter,
): Promise<{ filter: object; total: number | null }> {
  const narrowed = { ...filter, ...(attribute === undefined ? {} : { attribute: readAttribute(attribute) }) };
  if (Object.keys(narrowed).length > 0) return { filter: narrowed, total: null };
  const counted = await countContacts(db, tenant, COUNTED + 1);
  return { filter: narrowed, total: counted > COUNTED ? null : counted };
}

function notReady({ state, error }: ExportRecord): AldisError {
  switch (state) {
    case 'failed':
      return new AldisError('export_not_ready', `The export failed: ${error ?? 'nobody knows why'}`, { field: 'id' });
    case 'cancelled':
      return new AldisError('export_not_ready', 'The export was cancelled.', { field: 'id' });
    default:
      return new AldisError('export_not_ready', undefined, { field: 'id', retryAfter: 1 });
  }
}

function notFound(): AldisError {
  return new AldisError('not_found', 'There is no export of that id.', { field: 'id' });
}
