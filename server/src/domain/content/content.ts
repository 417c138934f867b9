import { AldisError } from '../errors.ts';
import type { Content, OutboundType } from '../message.ts';
import { checkContacts } from './contacts.ts';
import { invalid, missing } from './fields.ts';
import { checkFilename, fileTypeOf, type KnownFile, storedName } from './file.ts';
import { bodyTextOf, checkInteractive } from './interactive.ts';
import { checkLocation } from './location.ts';
import { checkReaction } from './reaction.ts';
import { checkText, TEXT_LIMITS, type TextValues } from './text.ts';

/** What the content of a message depends on beside itself. */
export interface ContentContext extends TextValues {
  /** The file that `media_id` means; null: there is none of that id. */
  file?: KnownFile | null | undefined;
  /** The provider's id of the message that a reaction is to, where it names our own; null: that has none. */
  reactedTo?: string | null | undefined;
}

/** Parts that are a type of their own, by the name of both. */
const OWN_TYPE = ['location', 'contacts', 'reaction', 'interactive'] as const;
type OwnType = (typeof OWN_TYPE)[number];

/** What a type may have in its content. A part that is not named here is refused with it. */
const PARTS: Readonly<Record<Exclude<OutboundType, 'template'>, readonly (keyof Content)[]>> = {
  text: ['text', 'preview_url'],
  image: ['text', 'media_url', 'media_id'],
  video: ['text', 'media_url', 'media_id'],
  audio: ['media_url', 'media_id', 'voice'],
  document: ['text', 'media_url', 'media_id', 'filename'],
  sticker: ['media_url', 'media_id'],
  location: ['location'],
  contacts: ['contacts'],
  reaction: ['reaction'],
  interactive: ['interactive'],
};

/**
 * What is sent when there is no template: its type, which the content tells when the request does not, and its content, checked
 * against WhatsApp's limits, with the values in its texts.
 * @throws {AldisError} naming the field, with the limit it is beyond in the details.
 */
export function composeContent(
  asked: Exclude<OutboundType, 'template'> | undefined,
  content: Content,
  context: ContentContext,
): { type: OutboundType; content: Content } {
  const type = typeOf(asked, content, context);
  for (const name of Object.keys(content) as (keyof Content)[]) {
    if (content[name] !== undefined && !PARTS[type].includes(name)) throw misplaced(name, type);
  }
  return { type, content: partsOf(type, content, context) };
}

function typeOf(
  asked: Exclude<OutboundType, 'template'> | undefined,
  content: Content,
  context: ContentContext,
): Exclude<OutboundType, 'template'> {
  if (content.media_url !== undefined || content.media_id !== undefined) {
    return fileTypeOf(content, asked, context.file);
  }
  const own = asked ?? OWN_TYPE.find((name) => content[name] !== undefined) ?? 'text';
  if (isOwnType(own)) {
    if (content[own] === undefined) throw missing(`content.${own}`, `is required for type ${own}`);
  } else if (own !== 'text') {
    throw missing('content.media_url', `(or content.media_id) is required for type ${own}`);
  }
  return own;
}

function isOwnType(type: OutboundType): type is OwnType {
  return OWN_TYPE.some((name) => name === type);
}

function partsOf(type: Exclude<OutboundType, 'template'>, content: Content, context: ContentContext): Content {
  switch (type) {
    case 'location':
      return { location: checkLocation('content.location', content.location) };
    case 'contacts':
      return { contacts: checkContacts('content.contacts', content.contacts) };
    case 'reaction':
      return { reaction: checkReaction('content.reaction', content.reaction, context.reactedTo) };
    case 'interactive':
      return { interactive: checkInteractive('content.interactive', withValues(content.interactive, context)) };
    default:
      return textAndFile(type, content, context);
  }
}

function textAndFile(type: OutboundType, content: Content, context: ContentContext): Content {
  const { text, media_url, media_id, filename, voice, preview_url } = content;
  const checked: Content = {};
  if (text !== undefined) {
    checked.text = checkText('content.text', text, context, type === 'text' ? TEXT_LIMITS.text : TEXT_LIMITS.caption);
  } else if (type === 'text') {
    throw new AldisError('missing_field', 'content.text or a template is required.', { field: 'content.text' });
  }
  if (media_url !== undefined) checked.media_url = media_url;
  if (media_id !== undefined) checked.media_id = media_id;
  if (filename !== undefined) checked.filename = checkFilename(filename, type);
  else if (type === 'document' && media_id !== undefined) {
    const name = storedName(context.file);
    if (name !== null) checked.filename = name;
  }
  if (voice !== undefined) checked.voice = voice;
  if (preview_url !== undefined) checked.preview_url = preview_url;
  return checked;
}

/** The values in the text of an interactive message's body. Its limit is checked with the rest. */
function withValues(interactive: Content['interactive'], context: ContentContext): unknown {
  const raw = bodyTextOf(interactive);
  if (raw === undefined || interactive === undefined) return interactive;
  const text = checkText('content.interactive.body.text', raw, context, TEXT_LIMITS.text);
  return { ...interactive, body: { ...(interactive['body'] as object), text } };
}

function misplaced(name: keyof Content, type: OutboundType): AldisError {
  const field = `content.${name}`;
  if (name === 'text' && (type === 'audio' || type === 'sticker')) {
    return invalid(field, `cannot be sent with ${type}, which has no caption`);
  }
  if (name === 'filename') return invalid(field, `is only for documents; this is of type ${type}`);
  return invalid(field, `is not for a message of type ${type}`);
}
