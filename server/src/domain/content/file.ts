import { AldisError } from '../errors.ts';
import { isMediaUrl, mediaTypeOf } from '../media.ts';
import { type Content, MEDIA_TYPES, type MediaType, type OutboundType } from '../message.ts';
import { filesIn } from '../named-media.ts';
import { stringFlaw } from '../opaque.ts';
import { checkLength, checkString, invalid } from './fields.ts';

const FILENAME = 240;

/** A file of ours. */
export interface KnownFile {
  /** As what WhatsApp takes it. */
  kind: string;
  /** What whoever brought it called it. */
  filename?: string | null;
}

/**
 * The type of a message with a file: what the request says, unless it says text; else what the file is.
 * @param file of `media_id`; null: there is none.
 */
export function fileTypeOf(
  { media_url: url, media_id: id }: Content,
  asked: OutboundType | undefined,
  file: KnownFile | null | undefined,
): MediaType {
  if (url !== undefined && id !== undefined) {
    throw new AldisError(
      'invalid_field',
      'content.media_id and content.media_url are two files; give one of the two.',
      {
        field: 'content.media_id',
      },
    );
  }
  const wanted = asked === undefined || asked === 'text' ? undefined : MEDIA_TYPES.find((type) => type === asked);
  if (wanted === undefined && asked !== undefined && asked !== 'text') {
    throw invalid(
      url === undefined ? 'content.media_id' : 'content.media_url',
      `is not for a message of type ${asked}`,
    );
  }
  return url === undefined ? ofOurs(wanted, file) : byAddress(wanted, url);
}

function ofOurs(asked: MediaType | undefined, file: KnownFile | null | undefined): MediaType {
  const kind = MEDIA_TYPES.find((type) => type === file?.kind);
  if (kind === undefined) throw invalid('content.media_id', 'names no file that is stored here');
  // Any file that WhatsApp takes may go as a document; as something else only what it is.
  if (asked !== undefined && asked !== 'document' && asked !== kind) {
    throw invalid('type', `is ${asked}, but content.media_id names a file of type ${kind}`);
  }
  return asked ?? kind;
}

/**
 * Holds the files of ours that stand in what is passed on to WhatsApp against what is stored.
 * @throws {AldisError} naming the place of one that is not there, or is something else.
 */
export function checkNamedFiles(field: string, value: unknown, find: (id: string) => KnownFile | null): void {
  for (const { id, as, path } of filesIn(value)) {
    const kind = MEDIA_TYPES.find((type) => type === find(id)?.kind);
    if (kind === undefined) throw invalid(`${field}${path}.id`, 'names no file that is stored here');
    if (as !== 'document' && as !== kind) {
      throw invalid(`${field}${path}.id`, `names a file of type ${kind}, where ${as} belongs`);
    }
  }
}

function byAddress(asked: MediaType | undefined, url: string): MediaType {
  const field = 'content.media_url';
  if (!isMediaUrl(url) || stringFlaw(url)) throw new AldisError('invalid_media_url', undefined, { field });
  const told = mediaTypeOf(url, asked);
  if (told && 'refused' in told) throw new AldisError('unsupported_type', `${told.refused}.`, { field });
  if (asked === undefined) {
    if (told) return told.type;
    const text = 'type is required: the media URL does not tell image, video, audio or document.';
    throw new AldisError('missing_field', text, { field: 'type' });
  }
  if (told && asked !== 'document' && told.type !== asked) {
    throw invalid('type', `is ${asked}, but the media URL names a file of type ${told.type}`);
  }
  return asked;
}

/** The name that a document of ours is shown with when the request gives none; null: the stored one cannot be shown. */
export function storedName(file: KnownFile | null | undefined): string | null {
  const name = file?.filename ?? '';
  return name !== '' && isShowable(name) && [...name].length <= FILENAME && stringFlaw(name) === null ? name : null;
}

function isShowable(filename: string): boolean {
  return !/[\p{Cc}/\\]/u.test(filename);
}

/** The name that a document is shown with. */
export function checkFilename(filename: string, type: OutboundType): string {
  const field = 'content.filename';
  if (type !== 'document') throw invalid(field, `is only for documents; this is of type ${type}`);
  checkLength(field, filename, FILENAME);
  if (!isShowable(filename)) throw invalid(field, 'must be a file name, without slashes or control characters');
  return checkString(field, filename);
}
