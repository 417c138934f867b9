import Type from 'typebox';
import { CHAT_MESSAGE_TYPES, MOST_MENTIONS } from '../../domain/chat.ts';
import {
  CATEGORIES,
  type ContactCard,
  type Content,
  type Interactive,
  OUTBOUND_TYPES,
  SENDER_TYPES,
  STATES,
} from '../../domain/message.ts';
import { LONGEST_TTL } from '../../domain/message-times.ts';
import { ChatMessageObject } from '../chat-view.ts';
import { HistoryStep } from '../history-view.ts';
import { either } from '../lazy-serializers.ts';
import { MessageObject, MessageReference, MessageStatus } from '../message-view.ts';
import {
  ERRORS_OF_ROUTES,
  NO_BODY,
  NO_QUERY,
  NullableTime,
  orNull,
  Reference,
  reference,
  StateWord,
  StatusWord,
  Time,
  words,
} from '../schemas.ts';

const tags = ['messages'];

/** Only the shape: what a value must be beyond its type, composing says, with better words. */
const closed = { additionalProperties: false };
const moment = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));

const contentProperties = {
  text: Type.Optional(Type.String({ description: 'The text, or the caption of media. {name}s are filled in.' })),
  preview_url: Type.Optional(Type.Boolean({ description: 'Of a text: whether its first link is shown as a preview.' })),
  media_url: Type.Optional(Type.String({ maxLength: 2048, description: 'An http(s) URL that WhatsApp fetches.' })),
  media_id: Type.Optional(Reference('Instead of media_url: a file that is stored here.')),
  filename: Type.Optional(Type.String({ minLength: 1, description: 'Of a document, as the customer sees it.' })),
  voice: Type.Optional(Type.Boolean({ description: 'Of an audio: shown as a voice message. OGG with Opus only.' })),
  location: Type.Optional(
    Type.Object(
      {
        latitude: Type.Number({ description: 'From -90 to 90.' }),
        longitude: Type.Number({ description: 'From -180 to 180.' }),
        name: Type.Optional(Type.String()),
        address: Type.Optional(Type.String()),
      },
      closed,
    ),
  ),
  contacts: Type.Optional(
    Type.Unsafe<ContactCard[]>({
      type: 'array',
      items: { type: 'object' },
      description:
        'Cards of people as WhatsApp takes them: each a name with formatted_name and one more part of it, phones, emails and so on; at most 257.',
    }),
  ),
  reaction: Type.Optional(
    Type.Object(
      {
        message_id: Reference('The message it is to: our id or the id of WhatsApp.'),
        emoji: Type.String({ description: 'One emoji; an empty one takes the reaction back.' }),
      },
      closed,
    ),
  ),
  interactive: Type.Optional(
    Type.Unsafe<Interactive>({
      type: 'object',
      description:
        'As WhatsApp takes it: button, list, cta_url, location_request_message, flow, product, product_list, catalog_message, carousel or address_message. {name}s in the text of its body are filled in.',
    }),
  ),
};

/** A template as a request names it. */
const templateProperties = {
  name: Type.String(),
  language: Type.String({ examples: ['en_US'] }),
  components: Type.Optional(
    Type.Array(Type.Unsafe<unknown>({ type: 'object' }), { description: 'As WhatsApp takes them.', maxItems: 32 }),
  ),
};

/** The canonical body of a message. */
export const MessageBody = Type.Object(
  {
    recipient_phone: Type.Optional(
      Type.String({
        description: 'Whom it is for: E.164 with +, or a business-scoped user id.',
        examples: ['+6281234567890'],
      }),
    ),
    to: Type.Optional(Type.String({ description: 'The same by another name; give one of the two.' })),
    sender_id: Type.Optional(Reference("The number it leaves from: own or external id. Absent: the tenant's default.")),
    type: Type.Optional(words(OUTBOUND_TYPES, { description: 'Absent: what the rest of the message tells.' })),
    content: Type.Optional(Type.Object(contentProperties, closed)),
    template: Type.Optional(
      Type.Object(templateProperties, {
        ...closed,
        description: 'What is sent when present; content is then kept for display.',
      }),
    ),
    fallback_template: Type.Optional(
      Type.Object(templateProperties, {
        ...closed,
        description:
          'What is sent instead, once, when the customer last wrote too long ago for WhatsApp to take what is no template.',
      }),
    ),
    variables: Type.Optional(
      Type.Unsafe<Record<string, string | number>>({
        type: 'object',
        additionalProperties: { type: ['string', 'number'] },
        maxProperties: 100,
        description: 'Values for the {name}s in the text.',
      }),
    ),
    reply_to: Type.Optional(Reference('The message it answers: our id or the id of WhatsApp.')),
    scheduled_at: moment('Not before this time; at most a year ahead.'),
    expires_at: moment('Not after this time; less than two years ahead.'),
    ttl: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LONGEST_TTL,
        description: 'Instead of expires_at: for so many seconds from when it may leave.',
      }),
    ),
    priority: Type.Optional(words(['high', 'normal', 'low'], { description: 'Absent: normal, and low in a batch.' })),
    category: Type.Optional(
      words(CATEGORIES, {
        description: "Absent: the template's own if it is known here, else marketing; service without a template.",
      }),
    ),
    metadata: Type.Optional(
      Type.Unsafe<Record<string, unknown>>({ type: 'object', description: 'Yours, at most 4096 bytes; given back.' }),
    ),
    sender_type: Type.Optional(
      words(SENDER_TYPES, { description: 'Who wrote it. The conversation service is told; absent: `llm`.' }),
    ),
  },
  { ...closed, $id: 'MessageBody' },
);

const { content: _, ...ownNames } = MessageBody.properties;

/** Names that documented services have for parts of a message, beside the canonical ones. */
export const OTHER_NAMES = {
  content: Type.Optional(
    Type.Unsafe<string | Content>({
      ...Type.Object(contentProperties, closed),
      type: ['object', 'string'],
      description: 'What is said. A string is its text.',
    }),
  ),
  message_type: Type.Optional(words(OUTBOUND_TYPES, { description: '`type` by another name.' })),
  conversation_id: Type.Optional(Reference('The conversation, by own or external id.')),
};

/** Who is named in a text, and where. */
export const MentionsField = Type.Optional(
  Type.Array(
    Type.Object(
      {
        user_id: Type.String({ minLength: 1, maxLength: 128 }),
        offset: Type.Integer({ minimum: 0, description: 'In UTF-16 code units, as JavaScript counts.' }),
        length: Type.Integer({ minimum: 1 }),
      },
      closed,
    ),
    {
      maxItems: MOST_MENTIONS,
      description: 'Users who are named in the text of a message between users, or of a note.',
    },
  ),
);

/** What chat-service has for parts of a message in a conversation. */
const CHAT_NAMES = {
  message_type: Type.Optional(
    words([...new Set([...CHAT_MESSAGE_TYPES, ...OUTBOUND_TYPES])], {
      description:
        'Between users: text, image, video, audio, file, sticker (their `metadata.media_url` says where the file is), location (`metadata.latitude`, `metadata.longitude`), contact, system. To a customer: `type` by another name.',
    }),
  ),
  mentions: MentionsField,
  parent_message_id: Type.Optional(Reference('In a conversation: the message that it answers.')),
  note: Type.Optional(
    Type.Boolean({
      description: 'In a conversation with a customer: an internal note, which never reaches him.',
    }),
  ),
};

const { metadata, reply_to, template, scheduled_at, expires_at } = ownNames;

/** What answers show as null where it is not there may be sent back so. */
const SHOWN_AS_NULL = {
  content: orNull(OTHER_NAMES.content),
  metadata: orNull(metadata),
  reply_to: orNull(reply_to),
  parent_message_id: orNull(CHAT_NAMES.parent_message_id),
  template: orNull(template),
  scheduled_at: orNull(scheduled_at),
  expires_at: orNull(expires_at),
};

/** The body of a single message: the canonical one, and those that are addressed by a conversation. */
const SingleBody = Type.Object(
  {
    ...ownNames,
    ...OTHER_NAMES,
    ...CHAT_NAMES,
    ...SHOWN_AS_NULL,
    conversation_id: Type.Optional(
      Reference('Instead of an addressee: the conversation that it answers in, by own or external id.'),
    ),
    whatsapp_message_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        pattern: '^[\\x21-\\x7e]+$',
        description: 'Beside conversation_id: the message was sent elsewhere. It is recorded, never sent.',
      }),
    ),
  },
  { ...closed, $id: 'SingleMessageBody' },
);

export const AcceptedAnswer = Type.Object(
  {
    id: Type.String(),
    status: StatusWord,
    state: StateWord,
    sender_id: Type.String(),
    contact_id: Type.String(),
    conversation_id: Type.String(),
    to: Type.String(),
    type: Type.String(),
    created_at: Time,
    scheduled_at: NullableTime,
    warnings: Type.Array(Type.String()),
  },
  { $id: 'Accepted' },
);

export const ListQuery = Type.Object(
  {
    sender_id: Type.Optional(Reference('Own or external id.')),
    contact_id: Type.Optional(Reference('Own or external id.')),
    conversation_id: Type.Optional(Reference('Own or external id.')),
    batch_id: Type.Optional(Reference('The id of a batch.')),
    direction: Type.Optional(words(['inbound', 'outbound'])),
    type: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-z_]+$' })),
    status: Type.Optional(StatusWord),
    state: Type.Optional(
      words(['scheduled', ...STATES], {
        description: 'The true state, instead of status. scheduled: queued, for a time that is to come.',
      }),
    ),
    error: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: '^[a-z_]+$',
        description: 'Failed for this: `outcome_unknown`.',
      }),
    ),
    error_code: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2147483647,
        description: "Failed with this code of the provider's; 0: none.",
      }),
    ),
    start_date: Type.Optional(Type.String({ description: 'created_at from here on: a day, or a time with a zone.' })),
    end_date: Type.Optional(
      Type.String({ description: 'created_at up to here: a day, whole, or a time with a zone.' }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
    cursor: Type.Optional(Type.String({ description: 'The next_cursor of the page before.' })),
    page: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Instead of a cursor: which page, from 1, within the newest 10,000 messages. Adds the totals.',
      }),
    ),
  },
  closed,
);

const MessageList = Type.Object(
  {
    messages: Type.Array(MessageReference),
    next_cursor: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Null at the end. A page may be short, even empty, and have a next one.',
    }),
    total: Type.Optional(Type.Integer({ description: 'With page: how many match.' })),
    page: Type.Optional(Type.Integer()),
    limit: Type.Optional(Type.Integer()),
    total_pages: Type.Optional(Type.Integer()),
    total_capped: Type.Optional(
      Type.Boolean({ description: 'True: counting stopped at 10,000 messages, there may be more.' }),
    ),
  },
  { $id: 'MessageList' },
);

const MessageWithHistory = Type.Object(
  {
    ...MessageObject.properties,
    history: Type.Array(reference(HistoryStep), { description: 'What happened, in order.' }),
  },
  { $id: 'MessageWithHistory' },
);

/** Absent, as the documented service has it, or what the caller takes upon himself. */
const RetryBody = Type.Unsafe<{ accept_duplicate?: boolean } | null>({
  type: ['object', 'null'],
  properties: {
    accept_duplicate: {
      type: 'boolean',
      default: false,
      description: 'Send it although an attempt may have arrived: the customer may get it twice.',
    },
  },
  additionalProperties: false,
});

/** When a message may leave, and until when. */
const TimesBody = Type.Object(
  {
    scheduled_at: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        format: 'date-time',
        description: 'Not before this time, at most a year ahead. Null: now.',
      }),
    ),
    expires_at: Type.Optional(
      Type.Unsafe<string | null>({
        type: ['string', 'null'],
        format: 'date-time',
        description: 'Not after this time. Null: for as long as `messages.validity` lets it wait.',
      }),
    ),
  },
  { ...closed, $id: 'MessageTimes' },
);

/** What a change made of a message. */
export const StateAnswer = Type.Object(
  { id: Type.String(), status: StatusWord, state: StateWord },
  { $id: 'StateAnswer' },
);

export const IdempotencyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'Your mark on this request, 1 to 255 characters: repeated, it is done once.' }),
  ),
});

/** The documentation of each route, with the schemas that validate and serialise it. */
export const ROUTES = {
  accept: {
    tags,
    summary: 'Accept a message',
    description:
      'Answered when the message is durably stored. A repeated Idempotency-Key is answered as the first time. It is addressed by `to` or `recipient_phone`, or by `conversation_id`: then address and sender are those of the conversation; between users, and with `note`, it is a chat message of the user that the request speaks for, answered as it is shown. With `whatsapp_message_id` beside `conversation_id` the message was sent elsewhere: it is recorded and never sent; 201, and 200 when it is known already. When the customer is known to have written last more than 24 hours ago, what is no template is 409 `window_closed`, or its `fallback_template` is sent with the warning `sent_as_template`; who opted out is 409 `recipient_suppressed`.',
    querystring: NO_QUERY,
    headers: IdempotencyHeader,
    body: SingleBody,
    response: {
      200: reference(AcceptedAnswer),
      201: reference(AcceptedAnswer),
      202: either(reference(AcceptedAnswer), reference(ChatMessageObject), 'mentions'),
      ...ERRORS_OF_ROUTES,
    },
  },
  list: {
    tags,
    summary: 'List messages, the newest first',
    description:
      'Those of all channels. By cursor to any depth; by page within the newest 10,000, with totals. A page by cursor looks at 5,000 messages at most: with a rare filter it may be short, and next_cursor goes on. The total is exact for any of sender_id, direction, type and status; with other filters counting stops at 10,000 messages.',
    querystring: ListQuery,
    response: { 200: reference(MessageList), ...ERRORS_OF_ROUTES },
  },
  read: {
    tags,
    summary: 'A message with its history',
    description: 'For a user, and of what was said between users: as it is shown in its conversation.',
    querystring: NO_QUERY,
    response: {
      200: either(reference(MessageWithHistory), reference(ChatMessageObject), 'mentions'),
      ...ERRORS_OF_ROUTES,
    },
  },
  change: {
    tags,
    summary: 'Change when a message leaves',
    description:
      'Before it leaves: `scheduled_at` before its first attempt, `expires_at` while it waits. 409 `too_late` after that. A repeated Idempotency-Key changes nothing more. Event: `message.rescheduled`.',
    querystring: NO_QUERY,
    headers: IdempotencyHeader,
    body: TimesBody,
    response: { 200: MessageReference, ...ERRORS_OF_ROUTES },
  },
  status: {
    tags,
    summary: 'The status of a message',
    querystring: NO_QUERY,
    response: { 200: reference(MessageStatus), ...ERRORS_OF_ROUTES },
  },
  markRead: {
    tags,
    summary: 'Mark a message as read',
    description:
      "A customer's: the conversation has one unread message less, and WhatsApp is told. One between users, or a note: the user has read it and all before it, and its author is told. A repeat changes nothing.",
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: reference(StateAnswer), ...ERRORS_OF_ROUTES },
  },
  typing: {
    tags,
    summary: 'Show the customer that an answer is being written',
    description:
      "WhatsApp shows it for up to 25 seconds, or until the next message. The customer's message is marked as read with it. Best effort: what cannot be told within 10 seconds is not told.",
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 202: reference(StateAnswer), ...ERRORS_OF_ROUTES },
  },
  cancel: {
    tags,
    summary: 'Cancel a message that has not left',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: reference(StateAnswer), ...ERRORS_OF_ROUTES },
  },
  retry: {
    tags,
    summary: 'Send a failed message again',
    description:
      'It is due at once, but not before the time that WhatsApp wants to pass after some errors. One of which an attempt may have arrived is 409 `may_have_arrived`, unless `accept_duplicate` says that it may come twice.',
    querystring: NO_QUERY,
    body: RetryBody,
    response: { 202: reference(StateAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

/** The parts that others refer to. */
export const MESSAGE_PARTS = [
  AcceptedAnswer,
  MessageBody,
  MessageList,
  MessageWithHistory,
  SingleBody,
  StateAnswer,
  TimesBody,
];
