import Type from 'typebox';
import { CONVERSATION_TYPES, MOST_PARTICIPANTS, PARTICIPANT_ROLES } from '../../domain/chat.ts';
import {
  ChatMessageObject,
  ConversationObject,
  ConversationRecordObject,
  ConversationSeen,
  ListedConversationObject,
  ParticipantObject,
} from '../chat-view.ts';
import { ERRORS_OF_ROUTES, NO_BODY, NO_QUERY, orNull, Reference, reference, words } from '../schemas.ts';
import { closed, PAGE, pageOf } from './record-pages.schema.ts';

const tags = ['conversations'];

const UserIdField = (description: string) => Type.String({ minLength: 1, maxLength: 128, description });

const ParticipantFields = {
  role: Type.Optional(
    words(PARTICIPANT_ROLES, {
      description: 'Absent: member; of whoever makes the conversation, owner, but in a direct one.',
    }),
  ),
  can_send_messages: Type.Optional(Type.Boolean({ description: 'Absent: true.' })),
};

const NewParticipant = Type.Object(
  { user_id: UserIdField('Your own id of the user; he needs no registration.'), ...ParticipantFields },
  closed,
);

const own = Type.Unsafe<Record<string, unknown> | null>({
  type: ['object', 'null'],
  description: 'Yours, at most 16,384 bytes; given back.',
});
const title = Type.Unsafe<string | null>({ type: ['string', 'null'], description: '1 to 200 characters.' });
const retention = Type.Unsafe<number | null>({
  type: ['integer', 'null'],
  minimum: 1,
  maximum: 36500,
  description: "After how many days what was said is removed. Null: the tenant's rule.",
});

const ConversationBody = Type.Object(
  {
    type: words(CONVERSATION_TYPES, {
      description: 'direct: two users. group: up to 1,024. customer: users with a customer on WhatsApp.',
    }),
    participants: Type.Optional(
      Type.Array(NewParticipant, { maxItems: MOST_PARTICIPANTS, description: 'The user who asks need not be named.' }),
    ),
    title: Type.Optional(title),
    metadata: Type.Optional(own),
    external_id: orNull(Reference('What you call it: it is found by this as well.')),
    retention_days: Type.Optional(retention),
    to: Type.Optional(
      Type.String({ description: 'With a customer: his phone number or business-scoped user id, or contact_id.' }),
    ),
    contact_id: orNull(Reference('With a customer: the contact, by own or external id.')),
    sender_id: orNull(Reference("With a customer: the number; own or external id. Absent: the tenant's default.")),
  },
  { ...closed, $id: 'ConversationBody' },
);

const ConversationChange = Type.Object(
  {
    title: Type.Optional(title),
    metadata: Type.Optional(own),
    retention_days: Type.Optional(retention),
    closed: Type.Optional(
      Type.Boolean({ description: 'true: nobody writes there until it is opened. false: opened.' }),
    ),
  },
  { ...closed, $id: 'ConversationChange', minProperties: 1 },
);

export const ConversationPage = Type.Object(
  {
    ...PAGE,
    type: Type.Optional(words(CONVERSATION_TYPES)),
    open: Type.Optional(words(['true', 'false'], { description: 'Only open ones, or only closed ones.' })),
  },
  closed,
);

const ConversationList = pageOf('conversations', reference(ListedConversationObject), 'ConversationList');

const ParticipantsBody = Type.Object(
  { participants: Type.Array(NewParticipant, { minItems: 1, maxItems: MOST_PARTICIPANTS }) },
  { ...closed, $id: 'ParticipantsBody' },
);
const ParticipantChange = Type.Object(ParticipantFields, { ...closed, $id: 'ParticipantChange', minProperties: 1 });
const ParticipantList = Type.Object(
  { participants: Type.Array(reference(ParticipantObject)) },
  { $id: 'ParticipantList' },
);
const LeftAnswer = Type.Object(
  { conversation_id: Type.String(), user_id: Type.String(), left: Type.Boolean() },
  { $id: 'Left' },
);

/** Of the routes on one participant. */
export const ParticipantParameters = Type.Object({
  id: Type.String({ description: 'The conversation, by own or external id.' }),
  user_id: Type.String({ description: 'Your own id of the user.' }),
});

export const CONVERSATION_ROUTES = {
  create: {
    tags,
    summary: 'Make a conversation',
    description:
      'Of two users, and of a customer and a sender, there is one: when it is there, it is answered with 200, and takes what it has not yet (`title`, `metadata`, `external_id`, `retention_days`); what it has stays. Asked for by another `external_id` than it has, it is 409 `already_exists`, which names it. One with a customer is made by software that may send messages; what is said there leaves by WhatsApp. Event: `conversation.created`.',
    querystring: NO_QUERY,
    body: ConversationBody,
    response: { 200: reference(ConversationObject), 201: reference(ConversationObject), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List conversations',
    description:
      'For a user those that he is in, that with the newest message first, each with what he has not read. For software all of them, the newest made first.',
    querystring: ConversationPage,
    response: { 200: reference(ConversationList), ...ERRORS_OF_ROUTES },
  },
  read: {
    tags,
    summary: 'A conversation with who is in it',
    querystring: NO_QUERY,
    response: { 200: reference(ConversationSeen), ...ERRORS_OF_ROUTES },
  },
  change: {
    tags,
    summary: 'Change, close or open a conversation',
    description: 'Events: `conversation.updated`, `conversation.closed`, `conversation.opened`.',
    querystring: NO_QUERY,
    body: ConversationChange,
    response: { 200: reference(ConversationRecordObject), ...ERRORS_OF_ROUTES },
  },
  participants: {
    tags,
    summary: 'Who is in a conversation, the longest first',
    querystring: NO_QUERY,
    response: { 200: reference(ParticipantList), ...ERRORS_OF_ROUTES },
  },
  add: {
    tags,
    summary: 'Add users to a conversation',
    description:
      'Those who are in it already stay as they are. A user who is added sees what is said from then on as events, and the history. Event: `participant.joined`, each.',
    querystring: NO_QUERY,
    body: ParticipantsBody,
    response: { 200: reference(ParticipantList), ...ERRORS_OF_ROUTES },
  },
  changeParticipant: {
    tags,
    summary: "Change a participant's role, or whether he may write",
    description: 'Event: `participant.changed`.',
    querystring: NO_QUERY,
    body: ParticipantChange,
    response: { 200: reference(ParticipantObject), ...ERRORS_OF_ROUTES },
  },
  remove: {
    tags,
    summary: 'Remove a participant, or leave',
    description:
      'Everybody may leave; owners and admins remove others. When the last owner goes, the admin who is longest in it becomes one, else who is longest in it. Events: `participant.left`, and `participant.changed` of a new owner.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: reference(LeftAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

export const CONVERSATION_PARTS = [
  ChatMessageObject,
  ParticipantObject,
  ConversationObject,
  ConversationRecordObject,
  ListedConversationObject,
  ConversationSeen,
  ConversationBody,
  ConversationChange,
  ConversationList,
  ParticipantsBody,
  ParticipantChange,
  ParticipantList,
  LeftAnswer,
];
