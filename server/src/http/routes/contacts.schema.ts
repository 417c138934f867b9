import Type from 'typebox';
import { CONSENT_STATES } from '../../domain/consent.ts';
import { ContactConversationObject, ContactObject } from '../contact-view.ts';
import { ERRORS_OF_ROUTES, NO_QUERY, Reference, reference, words } from '../schemas.ts';
import { closed, orNull, PAGE, pageOf } from './record-pages.schema.ts';

export const Phone = Type.String({ pattern: '^\\+[1-9]\\d{6,14}$', description: 'E.164 with +.' });
export const UserId = Type.String({
  pattern: '^[A-Z]{2}\\.[A-Za-z0-9]{1,128}$',
  description: 'A business-scoped user id.',
});
const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' });
const Language = Type.String({
  maxLength: 35,
  pattern: '^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$',
  description: 'Like id, en_US or pt-BR.',
});
const Attributes = Type.Unsafe<Readonly<Record<string, unknown>>>({
  type: 'object',
  additionalProperties: true,
  description: 'Names and values of your own: at most 100, and 4,096 bytes as JSON.',
});

const optional = {
  external_id: Type.Optional(orNull(Reference('Your own id of him, which finds him as well as ours does.'))),
  name: Type.Optional(orNull(Name)),
  language: Type.Optional(orNull(Language)),
};

const ContactBody = Type.Object(
  { phone: Type.Optional(Phone), user_id: Type.Optional(UserId), ...optional, attributes: Type.Optional(Attributes) },
  { ...closed, $id: 'ContactBody' },
);

const ContactChange = Type.Object(
  {
    ...optional,
    attributes: Type.Optional(
      Type.Unsafe<Readonly<Record<string, unknown>>>({
        ...Attributes,
        description: 'Merged with what is there; null takes one away.',
      }),
    ),
  },
  { ...closed, $id: 'ContactChange', minProperties: 1 },
);

export const ContactPage = Type.Object(
  {
    phone: Type.Optional(Phone),
    user_id: Type.Optional(UserId),
    external_id: Type.Optional(Reference('Your own id.')),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        pattern: '^[^\\p{Cc}\\p{Cs}]+$',
        description: 'What the name begins with, whatever the case.',
      }),
    ),
    marketing_consent: Type.Optional(words(CONSENT_STATES)),
    contact_consent: Type.Optional(words(CONSENT_STATES)),
    attribute: Type.Optional(
      Type.String({
        maxLength: 1000,
        pattern: '^[^:\\p{Cc}\\p{Cs}]+:[^\\p{Cc}\\p{Cs}]*$',
        description: 'NAME:VALUE, an attribute that is exactly so: city:Jakarta.',
      }),
    ),
    ...PAGE,
  },
  closed,
);

/** One way to find a contact. */
const FindQuery = Type.Object(
  {
    phone: Type.Optional(Phone),
    user_id: Type.Optional(UserId),
    external_id: Type.Optional(Reference('Your own id.')),
  },
  closed,
);

export const ConversationPage = Type.Object(PAGE, closed);

const ContactList = pageOf('contacts', reference(ContactObject), 'ContactList');
const ContactConversationList = pageOf(
  'conversations',
  reference(ContactConversationObject),
  'ContactConversationList',
);

const tags = ['contacts'];
const one = { 200: reference(ContactObject), ...ERRORS_OF_ROUTES };

export const CONTACT_ROUTES = {
  create: {
    tags,
    summary: 'Make a contact, or find the one that is there',
    description:
      'Give phone, user_id or external_id. 201: it was made. 200: it was there; what it did not have yet is added, and what it had stays.',
    querystring: NO_QUERY,
    body: ContactBody,
    response: { 200: reference(ContactObject), 201: reference(ContactObject), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List contacts, the newest first',
    description:
      'Filters hold together. For one page at most 5,000 contacts are looked at: a page may be short, and even empty, and still have a next one.',
    querystring: ContactPage,
    response: { 200: reference(ContactList), ...ERRORS_OF_ROUTES },
  },
  find: { tags, summary: 'The contact of a phone number or user id', querystring: FindQuery, response: one },
  read: { tags, summary: 'A contact, by own or external id', querystring: NO_QUERY, response: one },
  change: {
    tags,
    summary: 'Change a contact',
    description: 'What is absent stays; null takes away.',
    querystring: NO_QUERY,
    body: ContactChange,
    response: one,
  },
  conversations: {
    tags,
    summary: "A contact's conversations, one a sender",
    querystring: ConversationPage,
    response: { 200: reference(ContactConversationList), ...ERRORS_OF_ROUTES },
  },
} as const;

export const CONTACT_PARTS = [
  ContactObject,
  ContactBody,
  ContactChange,
  ContactList,
  ContactConversationObject,
  ContactConversationList,
];
