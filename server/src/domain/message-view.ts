import type { UserId } from './chat.ts';
import type { BatchId, ContactId, ConversationId, MessageId, SenderId } from './ids.ts';
import {
  type Message,
  type MessageError,
  type PriorityName,
  priorityName,
  type State,
  type Status,
  statusOf,
} from './message.ts';

/**
 * A message as everybody sees it: the same in lists, by id and, but for `held`, in events, whoever carries them. The schema of it is
 * `http/message-view.ts`.
 */
export interface MessageView {
  id: MessageId;
  direction: Message['direction'];
  status: Status;
  /** The true state. */
  state: State;
  type: string;
  category: string;
  priority: PriorityName;
  sender_id: SenderId;
  contact_id: ContactId;
  conversation_id: ConversationId;
  batch_id: BatchId | null;
  whatsapp_message_id: string | null;
  from: string;
  to: string;
  content: Message['content'];
  template: Message['template'];
  metadata: Message['metadata'];
  reply_to: string | null;
  /** Customers' signs to it, one a person. */
  reactions: { from: string; emoji: string; at: string }[];
  edited_at: Date | null;
  deleted_at: Date | null;
  sender_type: Message['sender_type'];
  author_id: UserId | null;
  error: MessageError | null;
  attempt: number;
  /** Why it waits although its time has come. As it is now, so events have none. */
  held?: Message['held'];
  created_at: Date;
  scheduled_at: Date | null;
  expires_at: Date | null;
  queued_at: Date;
  sending_at: Date | null;
  unconfirmed_at: Date | null;
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
  played_at: Date | null;
  failed_at: Date | null;
  cancelled_at: Date | null;
  expired_at: Date | null;
}

/**
 * What may change of a message, as it was after an event. Absent is null; but what customers did to it later, reactions, edited_at and
 * deleted_at, is told only by the events of that, and stays until the next of them.
 */
export interface EventData {
  state: State;
  wamid?: string | null;
  error?: MessageError | null;
  attempt?: number;
  sending_at?: string | null;
  sent_at?: string | null;
  delivered_at?: string | null;
  read_at?: string | null;
  played_at?: string | null;
  failed_at?: string | null;
  ended_at?: string | null;
  /** Of `message.rescheduled`: its times from then on. */
  scheduled_at?: string | null;
  expires_at?: string | null;
  /** Of good news by receipt: the state before, where `sent` is repeated or was skipped. */
  was?: State;
}

/** What of a message no event has to tell: it never changes, or is shown as it is now. */
export type FixedOfMessage = Pick<
  Message,
  | 'id'
  | 'direction'
  | 'type'
  | 'category'
  | 'priority'
  | 'sender_id'
  | 'sender_phone'
  | 'contact_id'
  | 'conversation_id'
  | 'batch_id'
  | 'address'
  | 'content'
  | 'template'
  | 'metadata'
  | 'reply_to'
  | 'reactions'
  | 'edited_at'
  | 'deleted_at'
  | 'sender_type'
  | 'author_id'
  | 'created_at'
  | 'scheduled_at'
  | 'expires_at'
>;

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
export function messageView(message: Message): MessageView {
  return { ...view(message, message), held: message.held };
}

/** The message of an event, as it was then. */
export function eventView(event: FixedOfMessage & { data: EventData }): MessageView {
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

function view(fixed: FixedOfMessage, now: Changing): MessageView {
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
    author_id: fixed.author_id,
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
