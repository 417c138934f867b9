import {
  type AuthorType,
  type ChatMessageType,
  type ConversationType,
  LONGEST_TEXT,
  type Mention,
  MOST_MENTIONS,
  MOST_PARTICIPANTS,
  type ParticipantRole,
  type UserId,
} from './chat.ts';
import { checkLength, checkString, invalid, missing, openObjectAt } from './content/fields.ts';
import { checkEmoji } from './content/reaction.ts';
import { AldisError, type ErrorCode } from './errors.ts';
import { isReference } from './ids.ts';
import { opaqueFlaw } from './opaque.ts';

/** What may be said in conversations, and who may do what there. Pure: the doors check bodies by it, the actions rights. */

/** Why somebody may not write in a conversation. */
export type WriteBar = Extract<
  ErrorCode,
  'not_found' | 'not_participant' | 'cannot_send_messages' | 'conversation_closed'
>;

/** Bytes of metadata as JSON. */
const LARGEST_METADATA = 16_384;
/** Characters of a URL. */
const LONGEST_URL = 2048;
const LONGEST_TITLE = 200;
export const MOST_EDITS = 100;

/** What somebody says, checked. */
export interface NewChatMessage {
  sender_type: AuthorType;
  message_type: ChatMessageType;
  content: string | null;
  mentions: readonly Mention[];
  /** The message that it answers, of the same conversation. */
  parent_message_id: string | null;
  metadata: Record<string, unknown> | null;
  /** Stays inside the business: only in a conversation with a customer, where nothing else is said by this action. */
  note: boolean;
}

/** What a request or frame says; its door has checked the types of the fields, and nothing else. */
export interface SaidFields {
  content?: string | null | undefined;
  message_type?: ChatMessageType | undefined;
  mentions?: readonly Mention[] | undefined;
  parent_message_id?: string | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  note?: boolean | undefined;
  sender_type?: AuthorType | undefined;
}

/** Types whose `metadata.media_url` says where the file is. */
const WITH_FILE: ReadonlySet<ChatMessageType> = new Set(['image', 'video', 'audio', 'file', 'sticker']);

/**
 * Checks what somebody says. A text, and what the system says, has content; a file has `metadata.media_url`, a place `metadata.latitude`
 * and `metadata.longitude`, a contact metadata; their content is a caption.
 * @throws {AldisError} `missing_field`, `invalid_field` naming the field.
 */
export function checkChatMessage(said: SaidFields): NewChatMessage {
  const { sender_type = 'user', message_type = 'text', parent_message_id = null, note = false } = said;
  const content = said.content === '' ? null : (said.content ?? null);
  const metadata = said.metadata ?? null;
  if (content !== null) checkText('content', content);
  checkSaidMetadata('metadata', metadata);
  if (message_type === 'text' || message_type === 'system') {
    if (content === null) throw missing('content', `is required for a message of type ${message_type}`);
    if (message_type === 'system' && sender_type === 'user') {
      throw invalid('message_type', 'must not be system: that is for bots and agents');
    }
  } else if (WITH_FILE.has(message_type)) {
    if (metadata?.['media_url'] === undefined) {
      throw missing('metadata.media_url', `is required for a message of type ${message_type}`);
    }
  } else if (message_type === 'location') {
    checkDegrees('metadata.latitude', metadata?.['latitude'], 90);
    checkDegrees('metadata.longitude', metadata?.['longitude'], 180);
  } else if (metadata === null) throw missing('metadata', `is required for a message of type ${message_type}`);
  const mentions = checkMentions('mentions', said.mentions ?? [], content);
  return { sender_type, message_type, content, mentions, parent_message_id, metadata, note };
}

/** Checks what a message is to say from now on. Mentions that it does not name are gone: their places were in the old text. */
export function checkEdit(edit: { content: string; mentions?: readonly Mention[] | undefined }): {
  content: string;
  mentions: readonly Mention[];
} {
  checkText('content', edit.content);
  return { content: edit.content, mentions: checkMentions('mentions', edit.mentions ?? [], edit.content) };
}

/** One emoji; null for an empty one, which takes the reaction back. */
export function checkChatEmoji(emoji: string | null): string | null {
  return emoji === null || emoji === '' ? null : checkEmoji('emoji', emoji);
}

/** The id of a user: 1 to 128 characters, no control characters. */
export function checkUserId(path: string, id: string): UserId {
  if (!isReference(id)) throw invalid(path, 'must be 1 to 128 characters, none of them a control character');
  return id;
}

function checkText(path: string, text: string): void {
  checkString(path, text);
  if (text.trim() === '') throw invalid(path, 'must not be empty');
  checkLength(path, text, LONGEST_TEXT);
}

/** Mentions lie within the text, in UTF-16 code units, and none over another. They are given back in the text's order. */
function checkMentions(path: string, mentions: readonly Mention[], content: string | null): readonly Mention[] {
  if (mentions.length === 0) return mentions;
  if (mentions.length > MOST_MENTIONS) {
    throw invalid(path, `must have at most ${MOST_MENTIONS}, but has ${mentions.length}`, MOST_MENTIONS);
  }
  const end = content?.length ?? 0;
  mentions.forEach(({ user_id, offset, length }, i) => {
    checkUserId(`${path}[${i}].user_id`, user_id);
    if (!Number.isInteger(offset) || offset < 0) throw invalid(`${path}[${i}].offset`, 'must be a whole number from 0');
    if (!Number.isInteger(length) || length < 1) throw invalid(`${path}[${i}].length`, 'must be a whole number from 1');
    if (offset + length > end) {
      throw invalid(`${path}[${i}]`, `ends at ${offset + length}, beyond the text, which has ${end} code units`, end);
    }
  });
  const order = mentions.map((mention, i) => ({ mention, i })).sort((a, b) => a.mention.offset - b.mention.offset);
  order.forEach(({ mention, i }, n) => {
    const before = order[n - 1];
    if (before && before.mention.offset + before.mention.length > mention.offset) {
      throw invalid(`${path}[${i}]`, `lies over ${path}[${before.i}]`);
    }
  });
  return order.map(({ mention: { user_id, offset, length } }) => ({ user_id, offset, length }));
}

/** Metadata is passed on as it is. */
function checkMetadata(path: string, metadata: Record<string, unknown>): void {
  openObjectAt(path, metadata);
  const flaw = opaqueFlaw(metadata, LARGEST_METADATA);
  if (flaw) throw invalid(`${path}${flaw.path}`, flaw.flaw);
}

/** That of a message too; but where it names a file, that is by https. */
function checkSaidMetadata(path: string, metadata: Record<string, unknown> | null): void {
  if (metadata === null) return;
  checkMetadata(path, metadata);
  const url = metadata['media_url'];
  if (url === undefined) return;
  const field = `${path}.media_url`;
  if (typeof url !== 'string' || url.length > LONGEST_URL || !URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw new AldisError(
      'invalid_media_url',
      `${field} must be an absolute https URL of at most ${LONGEST_URL} characters.`,
      {
        field,
      },
    );
  }
}

function checkDegrees(path: string, value: unknown, most: number): void {
  if (value === undefined) throw missing(path, 'is required for a message of type location');
  if (typeof value !== 'number' || !(Math.abs(value) <= most))
    throw invalid(path, `must be a number from -${most} to ${most}`);
}

/** What a conversation is called and carries. Absent and null: nothing to check. */
export function checkConversationFields(fields: {
  title?: string | null | undefined;
  metadata?: Record<string, unknown> | null | undefined;
  external_id?: string | null | undefined;
  retention_days?: number | null | undefined;
}): void {
  const { title, metadata, external_id, retention_days } = fields;
  if (title !== undefined && title !== null) {
    checkString('title', title);
    if (title.trim() === '') throw invalid('title', 'must not be empty');
    checkLength('title', title, LONGEST_TITLE);
  }
  if (metadata !== undefined && metadata !== null) checkMetadata('metadata', metadata);
  if (external_id !== undefined && external_id !== null) checkUserId('external_id', external_id);
  if (retention_days === undefined || retention_days === null) return;
  if (!Number.isInteger(retention_days) || retention_days < 1 || retention_days > 36_500) {
    throw invalid('retention_days', 'must be a whole number from 1 to 36500');
  }
}

/**
 * The users that are to be in a conversation, each once.
 * @throws {AldisError} `invalid_field`
 */
export function checkParticipants(participants: readonly { user_id: UserId }[]): void {
  if (participants.length > MOST_PARTICIPANTS) {
    throw invalid(
      'participants',
      `must have at most ${MOST_PARTICIPANTS}, but has ${participants.length}`,
      MOST_PARTICIPANTS,
    );
  }
  const seen = new Set<UserId>();
  participants.forEach(({ user_id }, i) => {
    checkUserId(`participants[${i}].user_id`, user_id);
    if (seen.has(user_id)) throw invalid(`participants[${i}].user_id`, `names ${user_id} again`);
    seen.add(user_id);
  });
}

/** Who the two of a direct conversation are, in whatever order they are named. */
export function directKey(one: UserId, other: UserId): string {
  return JSON.stringify(one < other ? [one, other] : [other, one]);
}

/** How a user stands in a conversation. null: he is not in it. */
export type Standing = { role: ParticipantRole; can_send_messages: boolean } | null;

/** Whether somebody may write there. @param standing of a user; `software`: of none. */
export function writeBar(
  conversation: { type: ConversationType; closed_at: unknown } | null,
  standing: Standing | 'software',
): WriteBar | null {
  if (conversation === null) return 'not_found';
  if (standing === null || (standing === 'software' && conversation.type !== 'customer')) return 'not_participant';
  if (standing !== 'software' && !standing.can_send_messages) return 'cannot_send_messages';
  return conversation.closed_at === null ? null : 'conversation_closed';
}

/**
 * Whether a participant may change a conversation: all of it as owner or admin; else, but in a group, `itself`: what it is called, and
 * whether it is open. How long it is kept goes with who is in it.
 */
export function mayManage(
  type: ConversationType,
  { role }: NonNullable<Standing>,
  what: 'itself' | 'participants',
): boolean {
  return role !== 'member' || (what === 'itself' && type !== 'group');
}
