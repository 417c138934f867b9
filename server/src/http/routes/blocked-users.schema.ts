import Type from 'typebox';
import { ERRORS_OF_ROUTES, NO_QUERY, NullableString, Reference, reference, Time } from '../schemas.ts';
import { closed, PAGE, pageOf } from './record-pages.schema.ts';

const senderId = Reference('The sender, by own or external id.');

const BlockBody = Type.Unsafe<{ sender_id?: string } | null>({
  type: ['object', 'null'],
  properties: {
    sender_id: { ...senderId, description: 'The sender. Absent: the one he last wrote to, else the default one.' },
  },
  additionalProperties: false,
});

const BlockedUserObject = Type.Object(
  {
    contact_id: Type.String(),
    sender_id: Type.String(),
    name: NullableString,
    phone: NullableString,
    user_id: NullableString,
    blocked: Type.Boolean({ description: 'What is wanted.' }),
    confirmed: Type.Unsafe<boolean | null>({
      type: ['boolean', 'null'],
      description: 'Whether WhatsApp did it. null: it has not said yet. false: it will not, and detail says why.',
    }),
    detail: NullableString,
    at: Time,
  },
  { $id: 'BlockedUser' },
);

const BlockedUserList = pageOf('blocked_users', reference(BlockedUserObject), 'BlockedUserList');
export const BlockedUserPage = Type.Object({ sender_id: senderId, ...PAGE }, closed);

const tags = ['contacts'];
const response = { 202: reference(BlockedUserObject), ...ERRORS_OF_ROUTES };

export const BLOCKED_USER_ROUTES = {
  block: {
    tags,
    summary: 'Block a contact at a sender',
    description:
      'He can write to that number no more, and WhatsApp refuses messages to him. WhatsApp only blocks who wrote within 24 hours. It is told in the background.',
    querystring: NO_QUERY,
    body: BlockBody,
    response,
  },
  unblock: {
    tags,
    summary: 'Let a contact write to a sender again',
    querystring: NO_QUERY,
    body: BlockBody,
    response,
  },
  list: {
    tags,
    summary: 'Whom a sender blocks, the newest contacts first',
    querystring: BlockedUserPage,
    response: { 200: reference(BlockedUserList), ...ERRORS_OF_ROUTES },
  },
} as const;

export const BLOCKED_USER_PARTS = [BlockedUserObject, BlockedUserList];
