import Type from 'typebox';
import { ChatEditObject, ChatMessageObject } from '../chat-view.ts';
import { either } from '../lazy-serializers.ts';
import { ERRORS_OF_ROUTES, NO_BODY, NO_QUERY, reference } from '../schemas.ts';
import { SaidList, SaidPage } from './conversation-messages.schema.ts';
import { AcceptedAnswer, IdempotencyHeader, MentionsField, StateAnswer } from './messages.schema.ts';
import { closed } from './record-pages.schema.ts';

const tags = ['conversations'];

const EditBody = Type.Object(
  {
    content: Type.String({ description: 'What it says from now on; at most 4096 characters.' }),
    mentions: MentionsField,
  },
  { ...closed, $id: 'EditBody' },
);
const ReactionBody = Type.Object(
  {
    emoji: Type.String({ description: 'One emoji; it takes the place of your last one. An empty one takes it back.' }),
  },
  { ...closed, $id: 'ReactionBody' },
);
const EditList = Type.Object({ edits: Type.Array(reference(ChatEditObject)) }, { $id: 'EditList' });

/** A message between users, told by what only it has. */
const PLACED = 'mentions';

const reacted = { 200: reference(ChatMessageObject), 202: reference(AcceptedAnswer), ...ERRORS_OF_ROUTES };

export const CHAT_MESSAGE_ROUTES = {
  edit: {
    tags,
    summary: 'Edit what you said',
    description:
      'What it said before is kept. Mentions that are not named again are gone. A WhatsApp message cannot be edited: 409 `not_supported_by_whatsapp`. Event: `chat.edited`.',
    querystring: NO_QUERY,
    body: EditBody,
    response: { 200: reference(ChatMessageObject), ...ERRORS_OF_ROUTES },
  },
  remove: {
    tags,
    summary: 'Delete what you said',
    description:
      'Its place stays, and what it said is gone for all. A WhatsApp message that has not left is cancelled; one that has is 409 `not_supported_by_whatsapp`. Event: `chat.deleted`.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: either(reference(StateAnswer), reference(ChatMessageObject), PLACED), ...ERRORS_OF_ROUTES },
  },
  react: {
    tags,
    summary: 'React to a message',
    description:
      'With one emoji, in place of your last one. To a WhatsApp message the reaction is sent as a message of its own: 202. Event: `chat.reaction`.',
    querystring: NO_QUERY,
    headers: IdempotencyHeader,
    body: ReactionBody,
    response: reacted,
  },
  unreact: {
    tags,
    summary: 'Take a reaction back',
    querystring: NO_QUERY,
    headers: IdempotencyHeader,
    body: NO_BODY,
    response: reacted,
  },
  edits: {
    tags,
    summary: 'What a message said before it was edited, the oldest first',
    querystring: NO_QUERY,
    response: { 200: reference(EditList), ...ERRORS_OF_ROUTES },
  },
  replies: {
    tags,
    summary: 'The answers to a message',
    description:
      'Of messages between users and notes. The oldest first, and on by `after_id`; with `before_id` the newest first.',
    querystring: SaidPage,
    response: { 200: reference(SaidList), ...ERRORS_OF_ROUTES },
  },
} as const;

export const CHAT_MESSAGE_PARTS = [EditBody, ReactionBody, ChatEditObject, EditList];
