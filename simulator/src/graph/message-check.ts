import { isList, isObject, type JsonObject } from '../json.ts';
import type { Reply } from '../reply.ts';
import { codedError, graphError } from './errors.ts';
import { checkInteractive } from './interactive-check.ts';
import type { MediaKind } from './media.ts';
import { required, text, tooLong } from './parameter.ts';

/**
 * What Meta refuses at once about a message's content. Limits: .../messages/* and the OpenAPI document
 * business-messaging-api v23.0 (facebook/openapi, 2025-11-21). Each check returns the refusal, or undefined.
 */
type Check = (content: JsonObject, kindOf: KindOf) => Reply | undefined;
/** What a media id may be sent as, undefined when there is no such file. */
export type KindOf = (id: unknown) => MediaKind | undefined;

export const TYPES = [
  'text',
  'image',
  'video',
  'audio',
  'document',
  'sticker',
  'location',
  'contacts',
  'reaction',
  'interactive',
  'template',
] as const;
export type MessageType = (typeof TYPES)[number];

const MAX_CONTACTS = 257;
const MAX_CAPTION = 1024;
const NAME_PARTS = ['first_name', 'last_name', 'middle_name', 'suffix', 'prefix'];

const checkText: Check = ({ body }) => (text(body) ? tooLong("text['body']", body, 4096) : required("text['body']"));

function checkMedia(type: MediaKind, captioned: boolean): Check {
  return ({ id, link, caption, filename, voice }, kindOf) => {
    if (id === undefined && link === undefined) return required(`${type}['id'] or ${type}['link']`);
    if (id !== undefined && link !== undefined) {
      return graphError(`(#100) Param ${type} must have exactly one of {id, link}.`);
    }
    const kind = id === undefined ? type : kindOf(id);
    if (kind === undefined) {
      return graphError(`(#100) Param ${type}['id'] is not a valid whatsapp business account media attachment ID`);
    }
    // Any file may go as a document.
    if (kind !== type && type !== 'document') {
      return codedError(131053, `${type}['id']: the file is of kind ${kind}`);
    }
    if (link !== undefined && !(typeof link === 'string' && /^https?:\/\//i.test(link) && URL.canParse(link))) {
      return graphError(`(#100) Param ${type}['link'] is not a valid URI.`);
    }
    if (voice !== undefined && (type !== 'audio' || typeof voice !== 'boolean')) {
      return graphError(`(#100) Unexpected key "voice" on param "${type}".`);
    }
    if (filename !== undefined && type !== 'document') {
      return graphError(`(#100) Unexpected key "filename" on param "${type}".`);
    }
    if (caption !== undefined && !captioned) return graphError(`(#100) Unexpected key "caption" on param "${type}".`);
    return tooLong(`${type}['caption']`, caption, MAX_CAPTION);
  };
}

const checkLocation: Check = ({ latitude, longitude }) => {
  const within = (value: unknown, most: number): boolean =>
    value !== '' && value !== null && value !== undefined && Math.abs(Number(value)) <= most;
  if (!within(latitude, 90)) return codedError(131009, "location['latitude'] must be a number from -90 to 90");
  return within(longitude, 180)
    ? undefined
    : codedError(131009, "location['longitude'] must be a number from -180 to 180");
};

const checkReaction: Check = ({ message_id: id, emoji }) => {
  if (!text(id)) return required("reaction['message_id']");
  return typeof emoji === 'string' ? undefined : required("reaction['emoji']");
};

const checkTemplate: Check = ({ name, language }) => {
  if (!text(name)) return required("template['name']");
  return isObject(language) && text(language.code) ? undefined : required("template['language']['code']");
};

/** Each contact has a formatted name and at least one other part of it. */
function checkContacts(content: unknown): Reply | undefined {
  const list = isList(content) ? content : [];
  if (list.length < 1 || list.length > MAX_CONTACTS) {
    return codedError(131009, `contacts must be a list of 1 to ${MAX_CONTACTS}`);
  }
  for (const [index, contact] of list.entries()) {
    const name = isObject(contact) ? contact.name : undefined;
    if (!isObject(name) || !text(name.formatted_name)) return required(`contacts[${index}]['name']['formatted_name']`);
    if (!NAME_PARTS.some((part) => text(name[part]))) {
      return codedError(131009, `contacts[${index}]['name'] needs at least one of ${NAME_PARTS.join(', ')}`);
    }
  }
  return undefined;
}

const CHECKS: Readonly<Record<Exclude<MessageType, 'contacts'>, Check>> = {
  text: checkText,
  image: checkMedia('image', true),
  video: checkMedia('video', true),
  audio: checkMedia('audio', false),
  document: checkMedia('document', true),
  sticker: checkMedia('sticker', false),
  location: checkLocation,
  reaction: checkReaction,
  interactive: checkInteractive,
  template: checkTemplate,
};

/** What Meta refuses about the content of a message of this type, or undefined. */
export function checkContent(type: MessageType, content: unknown, kindOf: KindOf): Reply | undefined {
  if (content === undefined || content === null) return required(type);
  if (type === 'contacts') return checkContacts(content);
  return isObject(content) ? CHECKS[type](content, kindOf) : graphError(`(#100) Param ${type} must be a JSON object.`);
}
