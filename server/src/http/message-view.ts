import Type, { type Static } from 'typebox';
import {
  type Message,
  type MessageError,
  priorityName,
  SENDER_TYPES,
  type SenderType,
  type State,
  statusOf,
} from '../domain/message.ts';
import type { EventRow } from '../store/events.read.ts';
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

/** The part of a message that never changes, or is shown as it is now. */
type Fixed = Omit<EventRow, 'xid' | 'event_id' | 'event_type' | 'data'>;
/** The part that does. */
type Changing = Pick<
  Message,
  | 'state'
  | 'wamid'
  | 'error'
  | 'attempt'
  | 'sending_at'
  | 'sent_at'
  | 'delivered_at'
  | 'read_at'
  | 'played_at'
  | 'failed_at'
  | 'ended_at'
>;

/** A message as it is now. */
export function messageView(message: Message): MessageObject {
  return { ...view(message, message), held: message.held };
}

/** The message of an event, as it was then. */
export function eventView(event: EventRow): MessageObject {
  const { data } = event;
  return view(event, {
    state: data.state,
    wamid: data.wamid ?? null,
    error: data.error ?? null,
    attempt: data.attempt ?? 0,
    sending_at: timeOf(data.sending_at),
    sent_at: timeOf(data.sent_at),
    delivered_at: timeOf(data.delivered_at),
    read_at: timeOf(data.read_at),
    played_at: timeOf(data.played_at),
    failed_at: timeOf(data.failed_at),
    ended_at: timeOf(data.ended_at),
  });
}

function view(fixed: Fixed, now: Changing): MessageObject {
  const outbound = fixed.direction === 'outbound';
  return {
    id: fixed.id,
    direction: fixed.direction,
    status: statusOf(now.state),
    state: now.state,
    type: fixed.type,
    category: fixed.category,
    priority: priorityName(fixed.priority),
    sender_id: fixed.sender_id,
    contact_id: fixed.contact_id,
    conversation_id: fixed.conversation_id,
    batch_id: fixed.batch_id,
    whatsapp_message_id: now.wamid,
    from: outbound ? fixed.sender_phone : fixed.address,
    to: outbound ? fixed.address : fixed.sender_phone,
    content: fixed.content,
    template: fixed.template,
    metadata: fixed.metadata,
    reply_to: fixed.reply_to,
    reactions: (fixed.reactions ?? []).flatMap(({ from, emoji, at }) => (emoji ? [{ from, emoji, at }] : [])),
    edited_at: fixed.edited_at,
    deleted_at: fixed.deleted_at,
    sender_type: fixed.sender_type,
    error: now.error,
    attempt: now.attempt,
    created_at: fixed.created_at,
    scheduled_at: fixed.scheduled_at,
    expires_at: fixed.expires_at,
    queued_at: fixed.created_at,
    sending_at: now.sending_at,
    // The doubt is about an attempt, and as old as that.
    unconfirmed_at: whenIn('unconfirmed', now, now.sending_at),
    sent_at: now.sent_at,
    delivered_at: now.delivered_at,
    read_at: now.read_at,
    played_at: now.played_at,
    failed_at: now.failed_at,
    cancelled_at: whenIn('cancelled', now, now.ended_at),
    expired_at: whenIn('expired', now, now.ended_at),
  };
}

function whenIn(state: State, now: Changing, time: Date | null): Date | null {
  return now.state === state ? time : null;
}

function timeOf(text: string | null | undefined): Date | null {
  return text ? new Date(text) : null;
}

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
