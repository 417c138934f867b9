import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { json, type Reply } from '../reply.ts';
import type { Settings } from '../settings.ts';
import { graphError, unknownObject } from './errors.ts';

/** What a file may be sent as. */
export type MediaKind = 'audio' | 'image' | 'sticker' | 'video' | 'document';

interface Stored {
  id: string;
  phone_number_id: string;
  mime_type: string;
  sha256: string;
  bytes: Buffer;
  /** Until when its id is good. */
  until: number;
}

const MB = 1_000_000;
const DAY = 86_400_000;
/** How long ids are good: of what a business uploaded, and of what a customer sent. */
const UPLOAD_VALID = 30 * DAY;
const INBOUND_VALID = 7 * DAY;
const ANIMATED_STICKER = 500_000;
const STILL_STICKER = 100_000;

/** The greatest size by type, in bytes (.../business-phone-numbers/media, 2026-06-16: "Supported media types"). */
const LIMITS: readonly { kind: MediaKind; types: RegExp; max: number }[] = [
  { kind: 'audio', types: /^audio\/(aac|amr|mpeg|mp4|ogg|opus)$/, max: 16 * MB },
  { kind: 'image', types: /^image\/(jpeg|png)$/, max: 5 * MB },
  { kind: 'sticker', types: /^image\/webp$/, max: ANIMATED_STICKER },
  { kind: 'video', types: /^video\/(mp4|3gpp|3gp)$/, max: 16 * MB },
  {
    kind: 'document',
    types:
      /^(text\/plain|application\/(pdf|msword|vnd\.ms-excel|vnd\.ms-powerpoint|vnd\.openxmlformats-officedocument\.(wordprocessingml\.document|spreadsheetml\.sheet|presentationml\.presentation)))$/,
    max: 100 * MB,
  },
];

/** A download with these query parameters, as `Media.download` takes it. */
export const DOWNLOAD_PATH = '/whatsapp_business/attachments/';

/**
 * Files, bounded in bytes: the oldest goes. Ids are good for 30 days, those of customers' files for 7; addresses for 5
 * minutes, unless the settings say otherwise. All by the simulator's clock.
 */
export class Media {
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #settings: Settings;
  readonly #stored = new Map<string, Stored>();
  #bytes = 0;
  #secret = randomBytes(16);
  #lastId = 4_490_709_300_000_000;

  constructor(maxBytes: number, clock: Clock, settings: Settings) {
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** What a send may name this id as, undefined when there is no such file. */
  kindOf(id: unknown): MediaKind | undefined {
    const stored = typeof id === 'string' ? this.#get(id) : undefined;
    return stored && LIMITS.find(({ types }) => types.test(stored.mime_type))?.kind;
  }

  /** Keeps what a customer sends. `base` is the simulator's own address. */
  receive(
    phoneNumberId: string,
    mimeType: string,
    bytes: Buffer,
    base: string,
  ): { id: string; mime_type: string; sha256: string; url: string } {
    const stored = this.#store(phoneNumberId, mimeType, bytes, INBOUND_VALID);
    // In webhooks the hash is in Base64, in answers hexadecimal.
    const sha256 = Buffer.from(stored.sha256, 'hex').toString('base64');
    return { id: stored.id, mime_type: mimeType, sha256, url: this.#address(stored.id, base) };
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
    const bytes = Buffer.from(await file.arrayBuffer());
    const max = limit.kind === 'sticker' && !isAnimated(bytes) ? STILL_STICKER : limit.max;
    if (bytes.length > max) {
      return graphError(`(#100) Param file must be at most ${max} bytes for ${mimeType}, has ${bytes.length}.`);
    }
    if (bytes.length === 0) return graphError('(#100) Param file must not be empty.');
    return json({ id: this.#store(phoneNumberId, mimeType, bytes, UPLOAD_VALID).id });
  }

  /** GET /{media_id}: an address for the download. `base` is the simulator's own address. */
  describe(id: string, base: string, query: URLSearchParams): Reply | undefined {
    const stored = this.#get(id);
    if (!stored) return undefined;
    if (this.#belongsToAnother(stored, query)) return unknownObject('GET', id);
    return json({
      url: this.#address(id, base),
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
    if (!stored || query.get('hash') !== this.#hash(id, expires) || Number(expires) < this.#clock.now()) {
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
    if (!stored || this.#clock.now() <= stored.until) return stored;
    this.#drop(stored);
    return undefined;
  }

  #address(id: string, base: string): string {
    const url = new URL(DOWNLOAD_PATH, base);
    const expires = String(this.#clock.now() + this.#settings.media_url_ms);
    url.searchParams.set('mid', id);
    url.searchParams.set('ext', expires);
    url.searchParams.set('hash', this.#hash(id, expires));
    return url.href;
  }

  #store(phoneNumberId: string, mimeType: string, bytes: Buffer, valid: number): Stored {
    const stored = {
      id: String(++this.#lastId),
      phone_number_id: phoneNumberId,
      mime_type: mimeType,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes,
      until: this.#clock.now() + valid,
    };
    this.#stored.set(stored.id, stored);
    this.#bytes += bytes.length;
    for (const oldest of this.#stored.values()) {
      if (this.#bytes <= this.#maxBytes || oldest === stored) break;
      this.#drop(oldest);
    }
    return stored;
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

/** Whether a WebP file moves: its extended header says so. */
function isAnimated(bytes: Buffer): boolean {
  return bytes.toString('latin1', 12, 16) === 'VP8X' && ((bytes[20] ?? 0) & 0x02) !== 0;
}
