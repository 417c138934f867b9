import { Readable } from 'node:stream';
import { create as contentDisposition } from 'content-disposition';
import { AldisError } from '../../domain/errors.ts';
import { nameFor, servedAs } from '../../domain/media-types.ts';
import { findMedia, type MediaRow } from '../../store/media.read.ts';
import { byteRange } from '../byte-range.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpApp, HttpReply, HttpRequest } from '../typebox-provider.ts';

/**
 * Files by their signed links, for whoever holds one: a browser, a colleague, WhatsApp. A file is data from strangers: it has
 * the type of its content and no other, nothing in it runs, and what a browser cannot simply show is saved.
 */
export function mediaLinkRoutes(app: HttpApp, { db, media, clock, settings }: HttpDeps): void {
  app.route<{ Params: { token: string } }>({
    method: ['GET', 'HEAD'],
    url: '/media/:token',
    schema: { hide: true },
    async handler(request, reply) {
      const link = media.links.read(request.params.token);
      if (link === null) throw new AldisError('not_found', 'This is no link to a file.');
      const left = link.until - clock.now();
      if (left <= 0) throw new AldisError('link_expired');
      const [row] = await findMedia(db, link.tenant, [link.id]);
      if (!row) throw new AldisError('not_found', 'The file was deleted.');
      const etag = `"${row.sha256.toString('hex')}"`;
      describe(reply, row, etag, left);
      if (isKnown(request, etag)) return reply.code(304).send();

      // Ranges are of GET alone (RFC 9110, 14.2).
      const range = request.method === 'GET' ? byteRange(request.headers, row.size, etag) : null;
      if (range === 'none') {
        reply.header('content-range', `bytes */${row.size}`);
        return reply.code(416).removeHeader('content-disposition').type('text/plain').send('');
      }
      const { start, end } = range ?? { start: 0, end: row.size - 1 };
      if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${row.size}`);
      reply.header('content-length', end - start + 1);
      if (request.method === 'HEAD') return reply.send();
      const bytes = await media.files.open(link.tenant, row.sha256, range ?? undefined);
      if (bytes === null) {
        reply.removeHeader('content-length').removeHeader('content-range').removeHeader('content-disposition');
        throw new AldisError('not_found', 'The content of the file is gone.');
      }
      // A time without any progress: who does not read is let go.
      reply.raw.setTimeout(settings.transport.write_timeout, () => reply.raw.destroy());
      return reply.send(bytes instanceof Readable ? bytes : Readable.from(bytes, { objectMode: false }));
    },
  });
}

function describe(reply: HttpReply, row: MediaRow, etag: string, left: number): void {
  const { type, disposition } = servedAs(row.mime_type);
  reply
    .type(type)
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('cache-control', `private, max-age=${Math.floor(left / 1000)}`)
    .header('content-disposition', contentDisposition(row.filename ?? nameFor(row.mime_type), { type: disposition }))
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    // Browsers show no PDF in a sandbox; it is no document of this origin anyway.
    .header(
      'content-security-policy',
      type === 'application/pdf' ? "default-src 'none'; object-src 'self'" : "default-src 'none'; sandbox",
    );
}

/** Whether the asker has this content already (RFC 9110, 13.1.2). */
function isKnown({ headers }: HttpRequest, etag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  return known === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}
