import { AldisError } from '../errors.ts';
import { isMediaUrl } from '../media.ts';
import { invalid, objectAt, openObjectAt, stringAt, wordAt } from './fields.ts';

/** Parts that several kinds of interactive messages have. */

/** Characters. Header: Meta, messages/interactive-*; of a file's name and of an id: ours. */
const LIMITS = { header: 60, filename: 240, id: 128 } as const;

const MEDIA_HEADERS = ['image', 'video', 'document'] as const;
export type HeaderType = 'text' | (typeof MEDIA_HEADERS)[number];
export const ANY_HEADER: readonly HeaderType[] = ['text', ...MEDIA_HEADERS];

/** A part that is one text. */
export function checkLabel(path: string, value: unknown, most: number): void {
  stringAt(`${path}.text`, objectAt(path, value, ['text'])['text'], most);
}

/** A header: a text, or a file by its address, by our own id of it or by WhatsApp's. */
export function checkHeader(path: string, value: unknown, types: readonly HeaderType[]): HeaderType {
  const type = wordAt(`${path}.type`, openObjectAt(path, value)['type'], types);
  const header = objectAt(path, value, ['type', type]);
  if (type === 'text') {
    stringAt(`${path}.text`, header['text'], LIMITS.header);
    return type;
  }
  const file = objectAt(`${path}.${type}`, header[type], ['link', 'id', ...(type === 'document' ? ['filename'] : [])]);
  const { link, id, filename } = file;
  if ((link === undefined) === (id === undefined))
    throw invalid(`${path}.${type}`, 'must have link or id, and not both');
  if (id !== undefined) stringAt(`${path}.${type}.id`, id, LIMITS.id);
  if (link !== undefined && !(typeof link === 'string' && isMediaUrl(link))) {
    throw new AldisError('invalid_media_url', undefined, { field: `${path}.${type}.link` });
  }
  if (filename !== undefined) stringAt(`${path}.${type}.filename`, filename, LIMITS.filename);
  return type;
}
