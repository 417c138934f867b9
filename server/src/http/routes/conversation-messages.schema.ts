import Type from 'typebox';
import { ChatMessageObject } from '../chat-view.ts';
import { ERRORS_OF_ROUTES, NO_QUERY, Reference, reference } from '../schemas.ts';
import { closed } from './record-pages.schema.ts';

const tags = ['conversations'];

/** A page of what was said, before or after a message. */
export const SaidPage = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
    before_id: Type.Optional(Reference('Older ones than this message, the newest first.')),
    after_id: Type.Optional(Reference('Newer ones than this message, the oldest first.')),
  },
  closed,
);

export const SaidList = Type.Object(
  {
    messages: Type.Array(reference(ChatMessageObject)),
    next_cursor: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description:
        'The before_id of the next page; of a page by after_id, and of the first one of answers, its after_id. Null at the end.',
    }),
  },
  { $id: 'SaidList' },
);

const TypingBody = Type.Object(
  { is_typing: Type.Boolean({ description: 'false: he has stopped. It ends by itself after 6 seconds too.' }) },
  { ...closed, $id: 'TypingBody' },
);
const TypingAnswer = Type.Object(
  { conversation_id: Type.String(), is_typing: Type.Boolean() },
  { $id: 'TypingAnswer' },
);

export const CONVERSATION_MESSAGE_ROUTES = {
  history: {
    tags,
    summary: 'What was said in a conversation',
    description:
      'The newest first. With a customer: what went and came by WhatsApp, and the notes, in the order of their ids.',
    querystring: SaidPage,
    response: { 200: reference(SaidList), ...ERRORS_OF_ROUTES },
  },
  typing: {
    tags,
    summary: 'Show that the user is typing',
    description:
      'To all who are in the conversation; it is no event and is not kept. With a customer he is shown it too, under his last message, which is marked as read by that; software may do so without a user.',
    querystring: NO_QUERY,
    body: TypingBody,
    response: { 202: reference(TypingAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

export const CONVERSATION_MESSAGE_PARTS = [SaidList, TypingBody, TypingAnswer];
