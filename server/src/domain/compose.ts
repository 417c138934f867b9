import { type ContentContext, composeContent } from './content/content.ts';
import { checkLength, checkString, invalid, missing } from './content/fields.ts';
import { checkNamedFiles, type KnownFile } from './content/file.ts';
import { TEXT_LIMITS } from './content/text.ts';
import { AldisError } from './errors.ts';
import type { SenderId } from './ids.ts';
import {
  type Category,
  type Content,
  type Fallback,
  type NewMessage,
  type OutboundType,
  PRIORITIES,
  type Priority,
  type PriorityName,
  type RecordedContent,
  type SenderType,
  type Template,
} from './message.ts';
import { timesOf } from './message-times.ts';
import { opaqueFlaw } from './opaque.ts';
import { type AddressKind, addressKind } from './phone.ts';
import { checkTemplateSend, type FoundTemplate, type TemplateVerdict } from './template-check.ts';
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
  /** Goes instead of the message when the customer's window is closed. */
  fallback_template?: { name: string; language: string; components?: unknown[] };
  variables?: Values;
  reply_to?: string;
  scheduled_at?: string;
  expires_at?: string;
  /** Seconds from when it may leave; instead of `expires_at`. */
  ttl?: number;
  priority?: PriorityName;
  category?: Category;
  metadata?: Record<string, unknown>;
  sender_type?: SenderType;
}

/** What a message depends on beside the request. */
export interface ComposeContext extends Pick<ContentContext, 'contact' | 'file' | 'reactedTo'> {
  /** The time by the database's clock, in milliseconds since 1970. Only looked at when the request names a time. */
  now: number;
  /** The sender that the request's `sender_id` means, or the tenant's default. */
  sender: SenderId;
  /** For requests that name no priority: batches stand behind single messages. */
  priority: Priority;
  /** The provider's id of the message that `reply_to` means. Absent: `reply_to` is that id itself. */
  replyTo?: string | undefined;
  /** What the request calls the conversation that the message is filed under. */
  conversation?: string | undefined;
  /** What is known of the template and of the fallback that the request names. Absent: nothing is, and they are not checked. */
  template?: FoundTemplate | undefined;
  fallback?: FoundTemplate | undefined;
  /** Finds a file of ours that a template or an interactive message names. Absent: they are not looked for. */
  files?: ((id: string) => KnownFile | null) | undefined;
  /** Whether what is no template is refused when the customer's window is known to be closed. Absent: it is not. */
  needsWindow?: boolean | undefined;
}

/** Limits of a message. Bytes are of JSON. */
const MESSAGE_LIMITS = {
  componentsBytes: 32_768,
  metadataBytes: 4096,
  /** Of content that is only kept. */
  keptBytes: 131_072,
} as const;

const TEMPLATE_NAME = /^[a-z0-9_]{1,512}$/;
const TEMPLATE_LANGUAGE = /^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}$/;

/**
 * Makes a message of a request whose shape has been checked.
 * @throws {AldisError} naming the field that cannot be accepted.
 */
export function compose(request: MessageRequest, context: ComposeContext): NewMessage {
  const { address, kind } = addresseeOf(request);
  const template = request.template === undefined ? null : checkTemplate('template', request.template);
  const { type, content } = template ? withTemplate(request, context) : withoutTemplate(request, context);
  const verdict = template && checkKnown('template', template, context.template);
  if (context.files) {
    checkNamedFiles('template.components', template?.components, context.files);
    if (type === 'interactive') checkNamedFiles('content.interactive', content?.interactive, context.files);
    checkNamedFiles('fallback_template.components', request.fallback_template?.components, context.files);
  }
  const category = categoryOf(request, template, verdict);
  const { scheduled_at, expires_at } = timesOf(request, context.now);
  const message: NewMessage = {
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
  if (verdict) {
    message.template_id = verdict.template_id;
    message.held = verdict.held;
  }
  if (template) checkCode(message, 'template');
  else {
    if (context.needsWindow) message.needs_window = true;
    if (type === 'reaction' && message.reply_to !== null) {
      throw invalid('reply_to', 'is not for a reaction, which names its message itself');
    }
  }
  if (request.fallback_template !== undefined) {
    message.fallback = checkFallback(request.fallback_template, message, context.fallback);
  }
  return message;
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
  if (content === undefined) throw missing('content');
  checkKept(content);
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
  if (request.fallback_template !== undefined) {
    throw invalid('fallback_template', 'is for a message without a template, which is sent at any time');
  }
  const { content } = request;
  if (content === undefined) return { type: 'template', content: null };
  const kept = { ...content };
  if (content.text !== undefined) kept.text = fillIn(content.text, request.variables ?? {}, context.contact).text;
  checkKept(kept);
  return { type: 'template', content: kept };
}

function withoutTemplate(request: MessageRequest, context: ComposeContext): { type: OutboundType; content: Content } {
  const { type, content = {}, variables } = request;
  if (type === 'template') throw missing('template');
  const { contact, file, reactedTo } = context;
  return composeContent(type, content, { variables, contact, file, reactedTo });
}

/** Content that nobody is sent: it must only fit into the store. */
function checkKept(content: Content): void {
  let others = false;
  for (const [name, value] of Object.entries(content)) {
    if (typeof value === 'string') {
      checkString(`content.${name}`, value);
      checkLength(`content.${name}`, value, TEXT_LIMITS.text);
    } else others = true;
  }
  const flaw = others ? opaqueFlaw(content, MESSAGE_LIMITS.keptBytes) : null;
  if (flaw) throw invalid(`content${flaw.path}`, flaw.flaw, MESSAGE_LIMITS.keptBytes);
}

/** What a template that is known makes of the message; null: it is not known. */
function checkKnown(field: string, template: Template, found: FoundTemplate | undefined): TemplateVerdict | null {
  return found === undefined ? null : checkTemplateSend(template, found, field);
}

/** The template's own category, if it is known; what the request says must be the same. */
function categoryOf(
  { category }: MessageRequest,
  template: Template | null,
  verdict: TemplateVerdict | null,
): Category {
  if (verdict && category !== undefined && category !== verdict.category) {
    throw invalid('category', `is ${category}, but the template is of category ${verdict.category}`);
  }
  return verdict?.category ?? category ?? (template ? 'marketing' : 'service');
}

function checkFallback(
  asked: NonNullable<MessageRequest['fallback_template']>,
  message: NewMessage,
  found: FoundTemplate | undefined,
): Fallback {
  const field = 'fallback_template';
  const template = checkTemplate(field, asked);
  const verdict = checkKnown(field, template, found);
  const fallback: Fallback = { ...template, category: verdict?.category ?? 'marketing' };
  if (verdict) fallback.template_id = verdict.template_id;
  if (verdict?.held) fallback.held = verdict.held;
  checkCode({ ...message, category: fallback.category }, field);
  return fallback;
}

/** WhatsApp takes no templates with codes for whom it names by an id only (its error 131062). */
function checkCode({ category, address_kind }: NewMessage, field: string): void {
  if (category !== 'authentication' || address_kind !== 'bsuid') return;
  throw invalid(field, 'is of category authentication, which WhatsApp sends to a phone number only');
}

/** Whether a name and a language can be a template's. */
export function isTemplateName({ name, language }: { name: string; language: string }): boolean {
  return TEMPLATE_NAME.test(name) && TEMPLATE_LANGUAGE.test(language);
}

function checkTemplate(
  field: string,
  { name, language, components }: NonNullable<MessageRequest['template']>,
): Template {
  if (!TEMPLATE_NAME.test(name)) throw invalid(`${field}.name`, 'must be small letters, digits and _');
  if (!TEMPLATE_LANGUAGE.test(language)) throw invalid(`${field}.language`, 'must be a code such as en or pt_BR');
  if (components === undefined) return { name, language };
  const flaw = opaqueFlaw(components, MESSAGE_LIMITS.componentsBytes);
  if (flaw) throw invalid(`${field}.components${flaw.path}`, flaw.flaw, MESSAGE_LIMITS.componentsBytes);
  return { name, language, components };
}

function checkMetadata(metadata: Record<string, unknown>): Record<string, unknown> {
  const flaw = opaqueFlaw(metadata, MESSAGE_LIMITS.metadataBytes);
  if (flaw) throw invalid(`metadata${flaw.path}`, flaw.flaw);
  return metadata;
}

function priorityOf(asked: PriorityName | undefined, category: Category, otherwise: Priority): Priority {
  if (asked !== undefined) return PRIORITIES[asked];
  // Somebody waits for a code.
  return category === 'authentication' ? PRIORITIES.high : otherwise;
}
