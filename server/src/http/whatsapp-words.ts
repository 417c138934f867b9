import type { Mention } from '../domain/chat.ts';
import { AldisError } from '../domain/errors.ts';
import { type Content, OUTBOUND_TYPES, type OutboundType } from '../domain/message.ts';
import type { SpelledRequest } from './single-request.ts';

/** What is posted to a conversation, as chat-service spells it: beside that, all that a message to a customer may say. */
export interface SaidRequest extends Omit<SpelledRequest, 'message_type'> {
  message_type?: string;
  mentions?: Mention[];
  parent_message_id?: string;
  note?: boolean;
}

/** What chat-service calls otherwise than WhatsApp. */
const TYPES: Readonly<Record<string, OutboundType>> = { file: 'document', contact: 'contacts' };

/** Chat types that are a file, whose address chat-service has in the metadata. */
const FILES: ReadonlySet<string> = new Set(['image', 'video', 'audio', 'document', 'sticker']);

/**
 * What an agent says to a customer in chat-service's words, as the message API has it: `parent_message_id` is `reply_to`,
 * `message_type: "file"` a document, and the file or the place that stands in `metadata` stands in `content`. The metadata stay.
 * @throws {AldisError} `invalid_field`, `unsupported_type`
 */
export function whatsappWords(said: SaidRequest): SpelledRequest {
  const { mentions = [], parent_message_id, note: _, message_type, content, ...rest } = said;
  if (mentions.length > 0) {
    throw new AldisError('invalid_field', 'mentions are for messages between users and for notes; WhatsApp has none.', {
      field: 'mentions',
    });
  }
  const request = typed(rest, message_type === undefined ? undefined : (TYPES[message_type] ?? message_type));
  if (parent_message_id !== undefined) {
    if (request.reply_to !== undefined) {
      throw new AldisError('invalid_field', 'parent_message_id says again what reply_to says; give one of the two.', {
        field: 'parent_message_id',
      });
    }
    request.reply_to = parent_message_id;
  }
  const type = request.message_type ?? request.type;
  if (content !== undefined) request.content = content;
  if (typeof content !== 'object') {
    const told = inMetadata(type, said.metadata ?? {});
    if (told) request.content = { ...(content && { text: content }), ...told };
  }
  return request;
}

/** What only a message in a conversation may have. */
const IN_CONVERSATION = ['mentions', 'parent_message_id', 'note'] as const;

/**
 * A request that names its addressee itself, or one that is only recorded: without what is said in conversations only.
 * @throws {AldisError} `invalid_field`, `unsupported_type`
 */
export function addressedRequest(said: SaidRequest): SpelledRequest {
  const field = IN_CONVERSATION.find((name) => said[name] !== undefined);
  if (field !== undefined) {
    throw new AldisError('invalid_field', `${field} is for a message in a conversation; name it by conversation_id.`, {
      field,
    });
  }
  return typed(said, said.message_type);
}

function typed(request: Omit<SaidRequest, 'message_type'>, word: string | undefined): SpelledRequest {
  if (word === undefined) return request;
  const message_type = OUTBOUND_TYPES.find((known) => known === word);
  if (message_type !== undefined) return { ...request, message_type };
  const told = `The message_type must be one of ${OUTBOUND_TYPES.join(', ')}.`;
  throw new AldisError('unsupported_type', told, { field: 'message_type' });
}

/** What of a message stands in its metadata, where chat-service has it; null: nothing. */
function inMetadata(type: OutboundType | undefined, metadata: Record<string, unknown>): Content | null {
  const { media_url, filename, latitude, longitude, name, address } = metadata;
  if (type === 'location' && typeof latitude === 'number' && typeof longitude === 'number') {
    return {
      location: {
        latitude,
        longitude,
        ...(typeof name === 'string' && { name }),
        ...(typeof address === 'string' && { address }),
      },
    };
  }
  if (typeof media_url !== 'string' || (type !== undefined && !FILES.has(type))) return null;
  return { media_url, ...(typeof filename === 'string' && type === 'document' && { filename }) };
}
