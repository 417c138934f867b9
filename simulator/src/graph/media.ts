import { createHash, randomBytes } from 'node:crypto';
import { json, type Reply } from '../reply.ts';
import { graphError, unknownObject } from './errors.ts';

interface Stored {
  id: string;
  phone_number_id: string;
  mime_type: string;
  sha256: string;
  bytes: Buffer;
  uploadedAt: number;
}

const MB = 1_000_000;
const ID_VALID = 30 * 86_400_000;
const URL_VALID = 5 * 60_000;

/** The greatest size by type, in bytes (.../business-phone-numbers/media, 2026-06-16: "Supported media types"). */
const LIMITS: readonly { types: RegExp; max: number }[] = [
  { types: /^audio\/(aac|amr|mpeg|mp4|ogg|opus)$/, max: 16 * MB },
  { types: /^image\/(jpeg|png)$/, max: 5 * MB },
  { types: /^image\/webp$/, max: 500_000 },
  { types: /^video\/(mp4|3gpp|3gp)$/, max: 16 * MB },
  {
    types:
      /^(text\/plain|application\/(pdf|msword|vnd\.ms-excel|vnd\.ms-powerpoint|vnd\.openxmlformats-officedocument\.(wordprocessingml\.document|spreadsheetml\.sheet|presentationml\.presentation)))$/,
    max: 100 * MB,
  },
];

/** A download with these query parameters, as `Media.download` takes it. */
export const DOWNLOAD_PATH = '/whatsapp_business/attachments/';

/** Uploaded media, bounded in bytes: the oldest goes. Ids are good for 30 days, addresses for 5 minutes. */
export class Media {
  readonly #maxBytes: number;
  readonly #stored = new Map<string, Stored>();
  #bytes = 0;
  #secret = randomBytes(16);
  #lastId = 4_490_709_300_000_000;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a send may name this id. */
  has(id: unknown): boolean {
    return typeof id === 'string' && this.#get(id) !== undefined;
  }

  /** POST /{phone}/media, a multipart form. */
  async upload(phoneNumberId: string, body: Buffer, contentType: string): Promise<Reply> {
    let form: FormData;
    try {
      form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
    } catch {
      return graphError('(#100) The body must be a form of type multipart/form-data.');
    }
    if (form.get('messaging_product') !== 'whatsapp') {
      return graphError('(#100) The parameter messaging_product is required.');
    }
    const file = form.get('file');
    if (!(file instanceof Blob)) return graphError('(#100) The parameter file is required.');
    const type = form.get('type');
    const declared = typeof type === 'string' && type.includes('/') ? type : file.type;
    const mimeType = (declared.split(';')[0] ?? '').trim().toLowerCase();
    const limit = LIMITS.find(({ types }) => types.test(mimeType));
    if (!limit)
      return graphError(`(#100) Param file must be a file with one of the supported types, got "${mimeType}".`);
    if (file.size > limit.max) {
      return graphError(`(#100) Param file must be at most ${limit.max} bytes for ${mimeType}, has ${file.size}.`);
    }
    return json({ id: this.#store(phoneNumberId, mimeType, Buffer.from(await file.arrayBuffer())) });
  }

  /** GET /{media_id}: an address for the download. `base` is the simulator's own address. */
  describe(id: string, base: string, query: URLSearchParams): Reply | undefined {
    const stored = this.#get(id);
    if (!stored) return undefined;
    if (this.#belongsToAnother(stored, query)) return unknownObject('GET', id);
    const url = new URL(DOWNLOAD_PATH, base);
    const expires = String(Date.now() + URL_VALID);
    url.searchParams.set('mid', id);
    url.searchParams.set('ext', expires);
    url.searchParams.set('hash', this.#hash(id, expires));
    return json({
      url: url.href,
      mime_type: stored.mime_type,
      sha256: stored.sha256,
      file_size: stored.bytes.length,
      id,
      messaging_product: 'whatsapp',
    });
  }

  /** The bytes behind an address that `describe` made. Meta answers 404 once it is too old. */
  download(query: URLSearchParams): Reply {
    const id = query.get('mid') ?? '';
    const expires = query.get('ext') ?? '';
    const stored = this.#get(id);
    if (!stored || query.get('hash') !== this.#hash(id, expires) || Number(expires) < Date.now()) {
      return { status: 404, type: 'text/plain', body: 'URL signature expired or media not found' };
    }
    return { status: 200, type: stored.mime_type, body: stored.bytes };
  }

  /** DELETE /{media_id}. */
  remove(id: string, query: URLSearchParams): Reply | undefined {
    const stored = this.#get(id);
    if (!stored) return undefined;
    if (this.#belongsToAnother(stored, query)) return unknownObject('DELETE', id);
    this.#drop(stored);
    return json({ success: true });
  }

  clear(): void {
    this.#stored.clear();
    this.#bytes = 0;
  }

  #get(id: string): Stored | undefined {
    const stored = this.#stored.get(id);
    if (!stored || Date.now() - stored.uploadedAt <= ID_VALID) return stored;
    this.#drop(stored);
    return undefined;
  }

  #store(phoneNumberId: string, mimeType: string, bytes: Buffer): string {
    const id = String(++this.#lastId);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.#stored.set(id, {
      id,
      phone_number_id: phoneNumberId,
      mime_type: mimeType,
      sha256,
      bytes,
      uploadedAt: Date.now(),
    });
    this.#bytes += bytes.length;
    for (const oldest of this.#stored.values()) {
      if (this.#bytes <= this.#maxBytes || oldest.id === id) break;
      this.#drop(oldest);
    }
    return id;
  }

  #drop(stored: Stored): void {
    this.#stored.delete(stored.id);
    this.#bytes -= stored.bytes.length;
  }

  #belongsToAnother(stored: Stored, query: URLSearchParams): boolean {
    const phoneNumberId = query.get('phone_number_id');
    return phoneNumberId !== null && phoneNumberId !== stored.phone_number_id;
  }

  #hash(id: string, expires: string): string {
    return createHash('sha256').update(this.#secret).update(`${id} ${expires}`).digest('base64url');
  }
}
