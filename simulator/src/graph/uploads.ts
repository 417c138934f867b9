import { randomBytes } from 'node:crypto';
import { isObject, parseJson } from '../json.ts';
import { json, type Reply } from '../reply.ts';
import { graphError } from './errors.ts';

const MAX_SESSIONS = 1000;

/**
 * Resumable uploads (developers.facebook.com/docs/graph-api/guides/upload): a session, then the bytes, which give the handle
 * that stands for a sample file in a template. The bytes themselves are not kept.
 */
export class Uploads {
  readonly #sessions = new Map<string, number>();

  /** POST /{app_id}/uploads. */
  begin(query: URLSearchParams, body: Buffer): Reply {
    const given = parseJson(body.toString('utf8'));
    const fields = isObject(given) ? given : {};
    const length = Number(fields.file_length ?? query.get('file_length'));
    const type = fields.file_type ?? query.get('file_type');
    if (!Number.isInteger(length) || length < 1) return graphError('(#100) The parameter file_length is required.');
    if (typeof type !== 'string' || !/^(image\/(jpeg|png)|video\/mp4|application\/pdf)$/.test(type)) {
      return graphError('(#100) Param file_type must be one of {image/jpeg, image/png, video/mp4, application/pdf}.');
    }
    if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.clear();
    const session = `upload:${randomBytes(24).toString('base64url')}`;
    this.#sessions.set(session, length);
    return json({ id: `${session}?sig=${randomBytes(12).toString('base64url')}` });
  }

  /** POST /upload:… with the bytes; undefined when there is no such session. `id` is as it stands in the path. */
  receive(id: string, body: Buffer): Reply | undefined {
    const session = decoded(id).replace(/\?.*$/, '');
    const length = this.#sessions.get(session);
    if (length === undefined) return undefined;
    if (body.length !== length) {
      return graphError(`(#100) Invalid parameter: ${length} bytes were promised and ${body.length} came.`);
    }
    this.#sessions.delete(session);
    return json({ h: `4::${randomBytes(36).toString('base64url')}` });
  }

  clear(): void {
    this.#sessions.clear();
  }
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
