import Type, { type Static } from 'typebox';
import { CONSENT_SCOPES, CONSENT_SOURCES, CONSENT_STATES } from '../domain/consent.ts';
import type { ContactConversation, ContactRecord } from '../store/contact-records.read.ts';
import { NullableString, NullableTime, Time, words } from './schemas.ts';

const OwnJson = Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true });
export const ConsentWord = Type.Unsafe<'in' | 'out' | null>({
  type: ['string', 'null'],
  enum: [...CONSENT_STATES, null],
});

/** A contact as it is answered. */
export const ContactObject = Type.Object(
  {
    id: Type.String(),
    external_id: NullableString,
    name: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'What you call him.' }),
    profile_name: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'What he calls himself on WhatsApp.',
    }),
    username: NullableString,
    language: NullableString,
    phone: NullableString,
    user_id: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'His business-scoped user id.' }),
    identities: Type.Array(
      Type.Object({
        kind: words(['phone', 'user_id']),
        value: Type.String(),
        left_at: Type.Unsafe<Date | null>({
          type: ['string', 'null'],
          format: 'date-time',
          description: 'Since when it is his no more: he has another. It finds him until somebody else has it.',
        }),
      }),
    ),
    attributes: Type.Unsafe<Readonly<Record<string, unknown>>>({
      ...OwnJson,
      description: 'Yours. Texts and numbers among them fill variables of messages.',
    }),
    unread_count: Type.Integer({
      description:
        'Messages of his, to all senders, that nobody read. Reactions, edits, deletions and system messages are nothing to read.',
    }),
    total_messages: Type.Integer(),
    last_message_at: NullableTime,
    marketing_consent: Type.Unsafe<'in' | 'out' | null>({
      ...ConsentWord,
      description: 'out: no marketing is sent. null: he never said.',
    }),
    contact_consent: Type.Unsafe<'in' | 'out' | null>({ ...ConsentWord, description: 'out: nothing at all is sent.' }),
    created_at: Time,
    updated_at: NullableTime,
  },
  { $id: 'Contact', description: 'Somebody to talk to, with all names he is known by.' },
);

/** A record as it is answered. */
export function contactView({ identities, ...contact }: ContactRecord): Static<typeof ContactObject> {
  const first = (kind: string) => identities.find((identity) => identity.kind === kind)?.value ?? null;
  return {
    ...contact,
    phone: first('phone'),
    user_id: first('bsuid'),
    identities: identities.map(({ kind, value, left_at }) => {
      return { kind: kind === 'bsuid' ? 'user_id' : kind, value, left_at: left_at === null ? null : new Date(left_at) };
    }),
  };
}

export const ConsentObject = Type.Object(
  {
    id: Type.String(),
    contact_id: Type.String(),
    scope: words(CONSENT_SCOPES),
    state: words(CONSENT_STATES),
    source: words(CONSENT_SOURCES, {
      description: "By what he said so: a keyword of his message, this API, WhatsApp's own switch, or a list.",
    }),
    detail: NullableString,
    message_id: NullableString,
    at: Time,
  },
  { $id: 'Consent', description: 'What a contact said of being written to. For each scope the latest holds.' },
);

export const ContactConversationObject = Type.Object(
  {
    id: Type.String(),
    external_id: NullableString,
    sender_id: Type.String(),
    unread_count: Type.Integer(),
    last_inbound_at: NullableTime,
    window: Type.Object(
      { state: words(['open', 'closed', 'unknown']), expires_at: NullableTime },
      { description: 'Whether free text is taken; unknown: nothing was heard of him yet.' },
    ),
    created_at: Time,
  },
  { $id: 'ContactConversation' },
);

/** A conversation of a contact as it is answered. @param now milliseconds since 1970. */
export function conversationView(
  { window_expires_at: expires_at, ...conversation }: ContactConversation,
  now: number,
): Static<typeof ContactConversationObject> {
  const state = expires_at === null ? 'unknown' : expires_at.getTime() > now ? 'open' : 'closed';
  return { ...conversation, window: { state, expires_at } };
}
