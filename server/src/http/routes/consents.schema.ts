import Type from 'typebox';
import { CONSENT_SCOPES, CONSENT_STATES } from '../../domain/consent.ts';
import { ConsentObject, ConsentWord } from '../contact-view.ts';
import { ERRORS_OF_ROUTES, NO_QUERY, NullableString, reference, words } from '../schemas.ts';
import { Phone, UserId } from './contacts.schema.ts';
import { closed, PAGE, pageOf } from './record-pages.schema.ts';

const said = {
  scope: words(CONSENT_SCOPES, { description: 'marketing: marketing messages. all: every message.' }),
  state: words(CONSENT_STATES, { description: 'in: agrees. out: refuses, and what waits for him is stopped.' }),
  source: Type.Optional(words(['api', 'import'], { description: 'api if absent.' })),
  detail: Type.Optional(
    Type.String({ maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]*$', description: 'Where he said so, or how.' }),
  ),
  at: Type.Optional(
    Type.String({ format: 'date-time', description: 'When he said so. Now, if absent; what was said later holds.' }),
  ),
};

const ConsentBody = Type.Object(said, { ...closed, $id: 'ConsentBody' });

/** What somebody said who is named by address. */
export const ConsentByAddress = Type.Object(
  { phone: Type.Optional(Phone), user_id: Type.Optional(UserId), ...said },
  { ...closed, $id: 'ConsentByAddress' },
);

const MOST_ITEMS = 10_000;

/** A list as it is validated: its items one by one, so that each is taken or refused on its own. */
const ConsentEnvelope = Type.Object(
  { consents: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MOST_ITEMS }) },
  { ...closed, $id: 'ConsentEnvelope' },
);

const GivenConsent = Type.Object(
  {
    contact_id: Type.String(),
    marketing_consent: ConsentWord,
    contact_consent: ConsentWord,
    messages_stopped: Type.Integer({ description: 'Messages that waited for him and are not sent any more.' }),
  },
  { $id: 'GivenConsent', description: 'What holds now.' },
);

const GivenConsents = Type.Object(
  {
    accepted: Type.Integer(),
    refused: Type.Integer(),
    messages_stopped: Type.Integer(),
    errors: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'The place in the request, from 0.' }),
        error: Type.String(),
        code: Type.String(),
        message: Type.String(),
        field: NullableString,
      }),
    ),
  },
  { $id: 'GivenConsents' },
);

const ConsentList = pageOf('consents', reference(ConsentObject), 'ConsentList');
export const ConsentPage = Type.Object(PAGE, closed);

const tags = ['contacts'];

export const CONSENT_ROUTES = {
  give: {
    tags,
    summary: 'Keep what a contact said of being written to',
    description:
      'Of each scope the latest word holds. Messages that wait and are refused now fail with recipient_suppressed.',
    querystring: NO_QUERY,
    body: ConsentBody,
    response: { 201: reference(GivenConsent), ...ERRORS_OF_ROUTES },
  },
  history: {
    tags,
    summary: 'What a contact said of being written to, the last written first',
    querystring: ConsentPage,
    response: { 200: reference(ConsentList), ...ERRORS_OF_ROUTES },
  },
  giveByAddress: {
    tags,
    summary: 'Keep what the holder of a phone number or user id said',
    description: 'Give phone or user_id. Whom nobody knows becomes a contact.',
    querystring: NO_QUERY,
    body: ConsentByAddress,
    response: { 201: reference(GivenConsent), ...ERRORS_OF_ROUTES },
  },
  giveMany: {
    tags,
    summary: 'Keep what up to 10,000 people said: a list of those who opted out, say',
    description: 'Each is taken or refused on its own; refusals name the place in the request.',
    querystring: NO_QUERY,
    body: ConsentEnvelope,
    response: { 200: reference(GivenConsents), ...ERRORS_OF_ROUTES },
  },
} as const;

export const CONSENT_PARTS = [ConsentObject, ConsentBody, ConsentByAddress, GivenConsent, GivenConsents, ConsentList];
