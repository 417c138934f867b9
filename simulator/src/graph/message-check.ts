import { isList, isObject, type JsonObject } from '../json.ts';
import type { Reply } from '../reply.ts';
import { codedError, graphError } from './errors.ts';

/**
 * What Meta refuses at once about a message's content. Limits: .../messages/* and the OpenAPI document
 * business-messaging-api v23.0 (facebook/openapi, 2025-11-21). Each check returns the refusal, or undefined.
 */
type Check = (content: JsonObject, hasMedia: (id: unknown) => boolean) => Reply | undefined;

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

function tooLong(parameter: string, value: unknown, max: number): Reply | undefined {
  if (value === undefined || (typeof value === 'string' && value.length <= max)) return undefined;
  const problem = typeof value === 'string' ? `must be at most ${max} characters long.` : 'must be a string.';
  return graphError(`(#100) Param ${parameter} ${problem}`);
}

function required(parameter: string): Reply {
  return graphError(`(#100) The parameter ${parameter} is required.`);
}

function text(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

const checkText: Check = ({ body }) => (text(body) ? tooLong("text['body']", body, 4096) : required("text['body']"));

function checkMedia(type: string, captioned: boolean): Check {
  return ({ id, link, caption }, hasMedia) => {
    if (id === undefined && link === undefined) return required(`${type}['id'] or ${type}['link']`);
    if (id !== undefined && link !== undefined) {
      return graphError(`(#100) Param ${type} must have exactly one of {id, link}.`);
    }
    if (id !== undefined && !hasMedia(id)) {
      return graphError(`(#100) Param ${type}['id'] is not a valid whatsapp business account media attachment ID`);
    }
    if (link !== undefined && !(typeof link === 'string' && /^https?:\/\//i.test(link) && URL.canParse(link))) {
      return graphError(`(#100) Param ${type}['link'] is not a valid URI.`);
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

const checkInteractive: Check = ({ type, header, body, footer, action }) => {
  if (!text(type)) return required("interactive['type']");
  if (!isObject(action)) return required("interactive['action']");
  const bodyText = isObject(body) ? body.text : undefined;
  return (
    tooLong("interactive['body']['text']", bodyText, 1024) ??
    (isObject(header) && header.type === 'text'
      ? tooLong("interactive['header']['text']", header.text, 60)
      : undefined) ??
    (isObject(footer) ? tooLong("interactive['footer']['text']", footer.text, 60) : undefined) ??
    (type === 'button' ? checkButtons(bodyText, action) : type === 'list' ? checkList(bodyText, action) : undefined)
  );
};

function checkButtons(body: unknown, { buttons }: JsonObject): Reply | undefined {
  if (!text(body)) return required("interactive['body']['text']");
  const list = isList(buttons) ? buttons : [];
  if (list.length < 1 || list.length > 3) {
    return codedError(131009, 'Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3');
  }
  for (const [index, button] of list.entries()) {
    const reply = isObject(button) && isObject(button.reply) ? button.reply : {};
    const at = `interactive['action']['buttons'][${index}]['reply']`;
    if (!text(reply.id)) return required(`${at}['id']`);
    if (!text(reply.title)) return required(`${at}['title']`);
    const problem = tooLong(`${at}['id']`, reply.id, 256) ?? tooLong(`${at}['title']`, reply.title, 20);
    if (problem) return problem;
  }
  return undefined;
}

function checkList(body: unknown, { button, sections }: JsonObject): Reply | undefined {
  if (!text(body)) return required("interactive['body']['text']");
  if (!text(button)) return required("interactive['action']['button']");
  const list = isList(sections) ? sections.filter(isObject) : [];
  if (list.length < 1 || list.length > 10) return codedError(131009, 'Invalid sections count. Min 1, max 10');
  const rows = list.flatMap((section) => (isList(section.rows) ? section.rows.filter(isObject) : []));
  if (rows.length < 1 || rows.length > 10) return codedError(131009, 'Total row count exceed max allowed count: 10');
  for (const row of rows) {
    if (!text(row.id)) return required("interactive['action']['sections']['rows']['id']");
    if (!text(row.title)) return required("interactive['action']['sections']['rows']['title']");
    const problem =
      tooLong("interactive['action']['sections']['rows']['id']", row.id, 200) ??
      tooLong("interactive['action']['sections']['rows']['title']", row.title, 24) ??
      tooLong("interactive['action']['sections']['rows']['description']", row.description, 72);
    if (problem) return problem;
  }
  return tooLong("interactive['action']['button']", button, 20);
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
export function checkContent(
  type: MessageType,
  content: unknown,
  hasMedia: (id: unknown) => boolean,
): Reply | undefined {
  if (content === undefined || content === null) return required(type);
  if (type === 'contacts') {
    const fits = isList(content) && content.length >= 1 && content.length <= MAX_CONTACTS;
    return fits ? undefined : codedError(131009, `contacts must be a list of 1 to ${MAX_CONTACTS}`);
  }
  return isObject(content)
    ? CHECKS[type](content, hasMedia)
    : graphError(`(#100) Param ${type} must be a JSON object.`);
}
