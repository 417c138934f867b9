import { AldisError } from './errors.ts';
import type { SenderId } from './ids.ts';
import { isMediaUrl, mediaTypeOf } from './media.ts';
import {
  type Category,
  type Content,
  type NewMessage,
  type OutboundType,
  PRIORITIES,
  type Priority,
  type PriorityName,
  type RecordedContent,
  type SenderType,
  type Template,
} from './message.ts';
import { opaqueFlaw, stringFlaw } from './opaque.ts';
import { type AddressKind, addressKind } from './phone.ts';
import { parseTime, TIME_FORMAT } from './times.ts';
import { fillIn, type Values } from './variables.ts';

/**
 * From a request to a message: everything that can be refused without asking the provider is refused here, with the field
 * that is wrong. What comes out is stored and sent as it is.
 */
export interface MessageRequest {
  /** One of the two names the addressee. */
  recipient_phone?: string;
  to?: string;
  /** Own or external id; resolved before composing. */
  sender_id?: string;
  type?: OutboundType;
  content?: Content;
  template?: { name: string; language: string; components?: unknown[] };
  variables?: Values;
  reply_to?: string;
  scheduled_at?: string;
  expires_at?: string;
  priority?: PriorityName;
  category?: Category;
  metadata?: Record<string, unknown>;
  sender_type?: SenderType;
}

/** What a message depends on beside the request. */
export interface ComposeContext {
  /** The time, in milliseconds since 1970. */
  now: number;
  /** The sender that the request's `sender_id` means, or the tenant's default. */
  sender: SenderId;
  /** For requests that name no priority: batches stand behind single messages. */
  priority: Priority;
  /** What is known of the contact: values for names that the request gives none. */
  contact?: Values | undefined;
  /** The provider's id of the message that `reply_to` means. Absent: `reply_to` is that id itself. */
  replyTo?: string | undefined;
  /** What the request calls the conversation that the message is filed under. */
  conversation?: string | undefined;
}

/** Limits of a message. Text and caption: Meta, messages/text-messages and messages/media, in characters. */
const MESSAGE_LIMITS = {
  text: 4096,
  caption: 1024,
  filename: 240,
  componentsBytes: 32_768,
  metadataBytes: 4096,
  /** Milliseconds ahead that a message may be scheduled. */
  ahead: 366 * 86_400_000,
} as const;

const TEMPLATE_NAME = /^[a-z0-9_]{1,512}$/;
const TEMPLATE_LANGUAGE = /^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}$/;

/**
 * Makes a message of a request whose shape has been checked.
 * @throws {AldisError} naming the field that cannot be accepted.
 */
export function compose(request: MessageRequest, context: ComposeContext): NewMessage {
  const { address, kind } = addresseeOf(request);
  const template = request.template === undefined ? null : checkTemplate(request.template);
  const category = request.category ?? (template ? 'marketing' : 'service');
  const { type, content } = template ? withTemplate(request, context) : withoutTemplate(request, context);
  const { scheduled_at, expires_at } = checkTimes(request, context.now);
  return {
    sender_id: context.sender,
    address,
    address_kind: kind,
    type,
    category,
    priority: priorityOf(request.priority, category, context.priority),
    content,
    template,
    metadata: request.metadata === undefined ? null : checkMetadata(request.metadata),
    reply_to: request.reply_to === undefined ? null : checkString('reply_to', context.replyTo ?? request.reply_to),
    scheduled_at,
    expires_at,
    sender_type: request.sender_type ?? null,
    conversation_name: context.conversation ?? null,
  };
}

/**
 * Checks what a message says that is only kept: it has been sent, so that nothing in it is filled in or judged by what WhatsApp
 * takes.
 * @throws {AldisError} naming the field that cannot be stored.
 */
export function composeRecorded(
  { type, content, metadata, sender_type }: MessageRequest,
  wamid: string,
): RecordedContent {
  if (content === undefined) throw new AldisError('missing_field', 'content is required.', { field: 'content' });
  for (const name of ['text', 'media_url', 'filename'] as const) {
    const value = content[name];
    if (value === undefined) continue;
    checkString(`content.${name}`, value);
    checkLength(`content.${name}`, value, MESSAGE_LIMITS.text);
  }
  return {
    wamid,
    type: type ?? 'text',
    content,
    metadata: metadata === undefined ? null : checkMetadata(metadata),
    sender_type: sender_type ?? null,
  };
}

/**
 * Who a request is for.
 * @throws {AldisError} `missing_field`, `two_addressees` or `invalid_phone`.
 */
export function addresseeOf(request: MessageRequest): { address: string; kind: AddressKind } {
  const { to, recipient_phone: phone } = request;
  if (to !== undefined && phone !== undefined) {
    throw new AldisError('two_addressees', 'Give to or recipient_phone, not both.', { field: 'to' });
  }
  const address = to ?? phone;
  const field = to === undefined ? 'recipient_phone' : 'to';
  if (address === undefined) {
    throw new AldisError('missing_field', 'recipient_phone (or to) is required.', { field });
  }
  const kind = addressKind(address);
  if (kind === null) throw new AldisError('invalid_phone', undefined, { field });
  return { address, kind };
}

/** The template is what is sent; the content is kept for display, with the values that are there. */
function withTemplate(
  request: MessageRequest,
  context: ComposeContext,
): { type: OutboundType; content: Content | null } {
  if (request.type !== undefined && request.type !== 'template') {
    throw invalid('type', `is ${request.type}, but the request brings a template`);
  }
  const { content } = request;
  if (content === undefined) return { type: 'template', content: null };
  for (const name of ['media_url', 'filename'] as const) {
    const value = content[name];
    if (value !== undefined) checkString(`content.${name}`, value);
  }
  if (content.text === undefined) return { type: 'template', content };
  const { text } = fillIn(content.text, request.variables ?? {}, context.contact);
  checkString('content.text', text);
  checkLength('content.text', text, MESSAGE_LIMITS.text);
  return { type: 'template', content: { ...content, text } };
}

function withoutTemplate(request: MessageRequest, context: ComposeContext): { type: OutboundType; content: Content } {
  const { content = {} } = request;
  if (request.type === 'template')
    throw new AldisError('missing_field', 'template is required.', { field: 'template' });
  const type = content.media_url === undefined ? 'text' : mediaTypeFor(request.type, content.media_url);
  if (request.type !== undefined && request.type !== 'text' && content.media_url === undefined) {
    throw new AldisError('missing_field', `content.media_url is required for type ${request.type}.`, {
      field: 'content.media_url',
    });
  }
  const checked: Content = {};
  const text = textOf(request, context, type);
  if (text !== undefined) checked.text = text;
  if (content.media_url !== undefined) checked.media_url = content.media_url;
  if (content.filename !== undefined) checked.filename = checkFilename(content.filename, type);
  return { type, content: checked };
}

/**
 * @throws {AldisError} `missing_variables` naming all that have no value.
 */
function textOf(request: MessageRequest, context: ComposeContext, type: OutboundType): string | undefined {
  const field = 'content.text';
  const raw = request.content?.text;
  if (raw === undefined) {
    if (type === 'text') throw new AldisError('missing_field', 'content.text or a template is required.', { field });
    return undefined;
  }
  const { text, missing } = fillIn(raw, request.variables ?? {}, context.contact);
  if (missing.length > 0) {
    throw new AldisError(
      'missing_variables',
      `There is no value for ${missing.map((name) => `{${name}}`).join(', ')}.`,
      {
        field,
        details: { variables: missing },
      },
    );
  }
  checkString(field, text);
  if (type === 'audio') throw invalid(field, 'cannot be sent with audio, which has no caption');
  if (text.trim() === '') throw invalid(field, 'must not be empty');
  checkLength(field, text, type === 'text' ? MESSAGE_LIMITS.text : MESSAGE_LIMITS.caption);
  return text;
}

/** The type of a message with media: what the request says, unless it says text; else what the URL tells. */
function mediaTypeFor(asked: OutboundType | undefined, url: string): OutboundType {
  const field = 'content.media_url';
  if (!isMediaUrl(url) || stringFlaw(url)) throw new AldisError('invalid_media_url', undefined, { field });
  const told = mediaTypeOf(url);
  if (told && 'refused' in told) throw new AldisError('unsupported_type', `${told.refused}.`, { field });
  if (asked === undefined || asked === 'text') {
    if (told) return told.type;
    throw new AldisError(
      'missing_field',
      'type is required: the media URL does not tell image, video, audio or document.',
      {
        field: 'type',
      },
    );
  }
  // Any file that WhatsApp takes may go as a document; as something else only what it is.
  if (told && asked !== 'document' && told.type !== asked) {
    throw invalid('type', `is ${asked}, but the media URL names a file of type ${told.type}`);
  }
  return asked;
}

function checkFilename(filename: string, type: OutboundType): string {
  const field = 'content.filename';
  if (type !== 'document') throw invalid(field, `is only for documents; this is of type ${type}`);
  checkLength(field, filename, MESSAGE_LIMITS.filename);
  if (/[\p{Cc}/\\]/u.test(filename)) throw invalid(field, 'must be a file name, without slashes or control characters');
  return checkString(field, filename);
}

function checkTemplate({ name, language, components }: NonNullable<MessageRequest['template']>): Template {
  if (!TEMPLATE_NAME.test(name)) throw invalid('template.name', 'must be small letters, digits and _');
  if (!TEMPLATE_LANGUAGE.test(language)) throw invalid('template.language', 'must be a code such as en or pt_BR');
  if (components === undefined) return { name, language };
  const flaw = opaqueFlaw(components, MESSAGE_LIMITS.componentsBytes);
  if (flaw) throw invalid(`template.components${flaw.path}`, flaw.flaw);
  return { name, language, components };
}

function checkMetadata(metadata: Record<string, unknown>): Record<string, unknown> {
  const flaw = opaqueFlaw(metadata, MESSAGE_LIMITS.metadataBytes);
  if (flaw) throw invalid(`metadata${flaw.path}`, flaw.flaw);
  return metadata;
}

function checkTimes(request: MessageRequest, now: number): { scheduled_at: number | null; expires_at: number | null } {
  const scheduled = timeOf('scheduled_at', request.scheduled_at);
  const expires = timeOf('expires_at', request.expires_at);
  if (scheduled !== null) {
    const field = 'scheduled_at';
    if (scheduled < now) throw new AldisError('scheduled_in_past', undefined, { field });
    if (scheduled > now + MESSAGE_LIMITS.ahead) throw new AldisError('scheduled_too_far', undefined, { field });
  }
  if (expires !== null) {
    if (expires <= now) throw invalid('expires_at', 'must be in the future');
    if (scheduled !== null && expires <= scheduled) throw invalid('expires_at', 'must be after scheduled_at');
    // A year to wait and a year to be sent in: more is a slip of the pen.
    if (expires > now + 2 * MESSAGE_LIMITS.ahead) throw invalid('expires_at', 'must be less than two years ahead');
  }
  return { scheduled_at: scheduled, expires_at: expires };
}

function timeOf(field: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const time = parseTime(text);
  if (time === null) throw invalid(field, `must be ${TIME_FORMAT}`);
  return time;
}

function priorityOf(asked: PriorityName | undefined, category: Category, otherwise: Priority): Priority {
  if (asked !== undefined) return PRIORITIES[asked];
  // Somebody waits for a code.
  return category === 'authentication' ? PRIORITIES.high : otherwise;
}

function checkString(field: string, value: string): string {
  const flaw = stringFlaw(value);
  if (flaw) throw invalid(field, flaw);
  return value;
}

function checkLength(field: string, value: string, most: number): void {
  // Code units first: they are never fewer than characters, and counting characters walks the string.
  if (value.length <= most) return;
  const characters = [...value].length;
  if (characters > most) throw invalid(field, `must be at most ${most} characters, but has ${characters}`);
}

function invalid(field: string, flaw: string): AldisError {
  return new AldisError('invalid_field', `${field} ${flaw}.`, { field });
}
