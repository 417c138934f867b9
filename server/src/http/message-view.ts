import Type, { type Static } from 'typebox';
import { type Message, type MessageError, SENDER_TYPES, type SenderType, statusOf } from '../domain/message.ts';
import {
  NullableJson,
  NullableString,
  NullableTime,
  reference,
  StateWord,
  StatusWord,
  Time,
  words,
} from './schemas.ts';

const MessageReaction = Type.Object({
  from: Type.String({ description: 'Phone number or business-scoped user id.' }),
  emoji: Type.String(),
  at: Type.String({ format: 'date-time' }),
});

/** A message as everybody sees it: the same in lists, by id and, but for `held`, in events. */
export const MessageObject = Type.Object(
  {
    id: Type.String(),
    direction: words(['outbound', 'inbound']),
    status: StatusWord,
    state: StateWord,
    type: Type.String(),
    category: Type.String(),
    priority: words(['high', 'normal', 'low']),
    sender_id: Type.String(),
    contact_id: Type.String(),
    conversation_id: Type.String(),
    batch_id: NullableString,
    whatsapp_message_id: NullableString,
    from: Type.String(),
    to: Type.String(),
    content: NullableJson,
    template: NullableJson,
    metadata: NullableJson,
    reply_to: NullableString,
    reactions: Type.Array(MessageReaction, { description: "Customers' signs to this message, one a person." }),
    edited_at: NullableTime,
    deleted_at: NullableTime,
    sender_type: Type.Unsafe<SenderType | null>({
      type: ['string', 'null'],
      enum: [...SENDER_TYPES, null],
      description: 'Who wrote it, if that was said.',
    }),
    author_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'The user who wrote it in its conversation, by your own id of him.',
    }),
    error: Type.Unsafe<MessageError | null>({
      type: ['object', 'null'],
      description: 'Why it failed.',
      properties: {
        error: { type: 'string', description: 'A code of docs/errors.md.' },
        code: { type: 'integer', description: "The provider's code, 0 when the provider said nothing." },
        title: { type: 'string' },
        detail: { type: ['string', 'null'] },
      },
    }),
    attempt: Type.Integer({ description: 'How many times it was tried to send.' }),
    held: Type.Optional(
      Type.Unsafe<'template' | null>({
        type: ['string', 'null'],
        enum: ['template', null],
        description:
          'Why it waits although its time has come. template: its template is paused, and it goes when WhatsApp lets the template go. As it is now, so events have none.',
      }),
    ),
    created_at: Time,
    scheduled_at: NullableTime,
    expires_at: NullableTime,
    queued_at: Time,
    sending_at: NullableTime,
    unconfirmed_at: NullableTime,
    sent_at: NullableTime,
    delivered_at: NullableTime,
    read_at: NullableTime,
    played_at: NullableTime,
    failed_at: NullableTime,
    cancelled_at: NullableTime,
    expired_at: NullableTime,
  },
  { $id: 'Message' },
);
export type MessageObject = Static<typeof MessageObject>;
export const MessageReference = reference(MessageObject);

/** The status of a message: sender-service's shape, and the true state. */
export const MessageStatus = Type.Object(
  {
    message_id: Type.String(),
    whatsapp_message_id: NullableString,
    status: StatusWord,
    state: StateWord,
    sent_at: NullableTime,
    delivered_at: NullableTime,
    read_at: NullableTime,
    failure_reason: Type.String({ description: 'Empty when it has not failed.' }),
  },
  { $id: 'MessageStatus' },
);

export function statusView(message: Message): Static<typeof MessageStatus> {
  const { id, wamid, state, sent_at, delivered_at, read_at } = message;
  return {
    message_id: id,
    whatsapp_message_id: wamid,
    status: statusOf(state),
    state,
    sent_at,
    delivered_at,
    read_at,
    failure_reason: failureReason(message),
  };
}

/** Why a message will not arrive; empty while it may. */
export function failureReason({ state, error }: Pick<Message, 'state' | 'error'>): string {
  if (state === 'cancelled' || state === 'expired') return state;
  if (state !== 'failed' || error === null) return '';
  return error.detail === null ? error.title : `${error.title}: ${error.detail}`;
}
