import Type from 'typebox';
import { CHANNELS, OUTSIDE_WINDOW } from '../../domain/sender.ts';
import { ERRORS_OF_ROUTES, NullableString, NullableTime, Reference, reference, Time, words } from '../schemas.ts';
import { closed, DeletedAnswer, orNull, PAGE, pageOf, TENANT, TenantHeader } from './record-pages.schema.ts';

const NullableInteger = Type.Unsafe<number | null>({ type: ['integer', 'null'] });
const count = (maximum: number, description: string, minimum = 1) => Type.Integer({ minimum, maximum, description });
const digits = (description: string) => Type.String({ pattern: '^\\d{5,20}$', description });
/** What can stand in a header. */
const secret = (description: string) =>
  Type.String({ minLength: 1, maxLength: 4096, pattern: '^[\\x21-\\x7e]+$', description });

const own = {
  name: Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' }),
  phone: Type.String({ pattern: '^\\+[1-9]\\d{6,14}$', description: 'The number, E.164 with +.' }),
  account_id: digits('Its WhatsApp Business Account.'),
  access_token: secret('The token that may send from it. Kept encrypted; never told again.'),
  webhook_url: Type.String({ minLength: 1, maxLength: 2048, description: 'Where messages are posted to.' }),
};

/** What may be absent in a new sender too, and null in a change. */
const optional = {
  external_id: Type.Optional(orNull(Reference('Your own id of it, which finds it as well as ours does.'))),
  webhook_header: Type.Optional(
    orNull(
      Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$", description: 'The header its key travels in.' }),
    ),
  ),
  webhook_key: Type.Optional(orNull(secret('The key that is sent along. Kept encrypted; never told again.'))),
  messages_per_second: Type.Optional(
    orNull(count(100_000, 'How fast it may send. Absent or null: as WhatsApp says, 80 until it is known.')),
  ),
  per_minute: Type.Optional(orNull(count(100_000, 'The most that leave in a minute; the others wait.'))),
  per_day: Type.Optional(orNull(count(100_000_000, 'The most that are accepted in a day, UTC; more are refused.'))),
  batch_size: Type.Optional(orNull(count(100_000, 'The most that leave in one processing_interval_ms.'))),
  processing_interval_ms: Type.Optional(orNull(count(86_400_000, 'Milliseconds, with batch_size.', 100))),
  is_default: Type.Optional(
    Type.Boolean({ description: 'Requests that name no sender leave from it; the last one said so.' }),
  ),
  enabled: Type.Optional(Type.Boolean({ description: 'false: accepts nothing and sends nothing.' })),
  outside_window: Type.Optional(
    words(OUTSIDE_WINDOW, {
      description:
        'What becomes of free text to a customer whose window is known to be closed: refused here (window_closed, the usual), or sent for WhatsApp to judge.',
    }),
  ),
};

const SenderBody = Type.Object(
  {
    ...TENANT,
    channel: Type.Optional(words(CHANNELS, { description: 'whatsapp if absent.' })),
    name: Type.Optional(own.name),
    phone: Type.Optional(own.phone),
    phone_number_id: Type.Optional(digits('Its id in the Graph API.')),
    account_id: Type.Optional(own.account_id),
    portfolio_id: Type.Optional(digits('Its business portfolio, whose limits its numbers share. Absent: its account.')),
    access_token: Type.Optional(own.access_token),
    webhook_url: Type.Optional(own.webhook_url),
    ...optional,
  },
  { ...closed, $id: 'SenderBody' },
);

const SenderChange = Type.Object(
  {
    name: Type.Optional(own.name),
    phone: Type.Optional(own.phone),
    account_id: Type.Optional(own.account_id),
    access_token: Type.Optional(own.access_token),
    webhook_url: Type.Optional(own.webhook_url),
    ...optional,
  },
  { ...closed, $id: 'SenderChange', minProperties: 1 },
);

const SenderObject = Type.Object(
  {
    id: Type.String(),
    external_id: NullableString,
    name: Type.String(),
    channel: words(CHANNELS),
    phone: NullableString,
    phone_number_id: NullableString,
    account_id: NullableString,
    portfolio_id: NullableString,
    app_id: NullableString,
    webhook_url: NullableString,
    webhook_header: NullableString,
    messages_per_second: Type.Integer(),
    per_minute: NullableInteger,
    per_day: NullableInteger,
    batch_size: NullableInteger,
    processing_interval_ms: NullableInteger,
    is_default: Type.Boolean(),
    enabled: Type.Boolean(),
    outside_window: words(OUTSIDE_WINDOW),
    verified_name: NullableString,
    name_status: NullableString,
    quality: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'GREEN, YELLOW, RED or UNKNOWN, as WhatsApp says. Null in these: it has not said.',
    }),
    throughput: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'STANDARD (80 messages a second), HIGH (1,000) or COEXISTENCE (20).',
    }),
    messaging_limit: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'How many people the portfolio may write to first in 24 hours: TIER_250 and its like.',
    }),
    connected: Type.Unsafe<boolean | null>({
      type: ['boolean', 'null'],
      description: 'What WhatsApp said when it was last asked; null: it has not been asked. false: it accepts nothing.',
    }),
    connection_detail: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'What is wrong, and what to do.',
    }),
    connection_checked_at: NullableTime,
    created_at: Time,
  },
  { $id: 'Sender', description: 'A sender, without its secrets. Limits that are null: what the configuration says.' },
);
const SenderList = pageOf('senders', reference(SenderObject), 'SenderList');
export const SenderPage = Type.Object({ ...TENANT, ...PAGE }, closed);
const OfTenant = Type.Object(TENANT, closed);

const tags = ['senders'];
const headers = TenantHeader;
const one = { 200: reference(SenderObject), ...ERRORS_OF_ROUTES };

export const SENDER_ROUTES = {
  create: {
    tags,
    summary: 'Make a sender',
    description:
      "A number needs phone_number_id, account_id, phone and access_token, a webhook its webhook_url. A tenant's first sender is its default.",
    querystring: Type.Object({}, closed),
    headers,
    body: SenderBody,
    response: { 201: reference(SenderObject), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List senders, the newest first',
    querystring: SenderPage,
    headers,
    response: { 200: reference(SenderList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'A sender, by own or external id', querystring: OfTenant, headers, response: one },
  change: {
    tags,
    summary: 'Change a sender',
    description: 'What is absent stays; null takes away. Which number, channel and portfolio it is, it stays.',
    querystring: OfTenant,
    headers,
    body: SenderChange,
    response: one,
  },
  remove: {
    tags,
    summary: 'Delete a sender that has never sent or received',
    querystring: OfTenant,
    headers,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

export const SENDER_PARTS = [SenderObject, SenderBody, SenderChange, SenderList];
