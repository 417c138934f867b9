import Type from 'typebox';
import { ERRORS_OF_ROUTES, NullableString, NullableTime, reference, Time } from '../schemas.ts';
import { closed, DeletedAnswer, PAGE, pageOf, TENANT, TenantHeader } from './record-pages.schema.ts';

const NullableBoolean = (description: string) =>
  Type.Unsafe<boolean | null>({ type: ['boolean', 'null'], description });
const told = (description: string) => Type.Unsafe<string | null>({ type: ['string', 'null'], description });

const settings = {
  access_token: Type.String({
    minLength: 1,
    maxLength: 4096,
    pattern: '^[\\x21-\\x7e]+$',
    description:
      'The token that reads and manages the account, and sends from its numbers. Kept encrypted; never told again.',
  }),
  add_numbers: Type.Boolean({
    description: 'Whether each of its numbers becomes a sender. false: only those that somebody makes.',
  }),
  subscribe: Type.Boolean({ description: 'Whether its webhooks are to come to its app. WhatsApp is told.' }),
};

const AccountBody = Type.Object(
  {
    ...TENANT,
    id: Type.String({ pattern: '^\\d{5,20}$', description: 'The id of the WhatsApp Business Account.' }),
    access_token: settings.access_token,
    app: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9][a-z0-9_-]{0,63}$',
        description: 'The app whose webhooks tell of it. `default` if absent.',
      }),
    ),
    portfolio_id: Type.Optional(
      Type.String({ pattern: '^\\d{5,20}$', description: 'Its business portfolio. Absent: WhatsApp says.' }),
    ),
    add_numbers: Type.Optional(settings.add_numbers),
    subscribe: Type.Optional(settings.subscribe),
  },
  { ...closed, $id: 'AccountBody' },
);

const AccountChange = Type.Object(
  {
    access_token: Type.Optional(settings.access_token),
    add_numbers: Type.Optional(settings.add_numbers),
    subscribe: Type.Optional(settings.subscribe),
  },
  { ...closed, $id: 'AccountChange', minProperties: 1 },
);

const AccountObject = Type.Object(
  {
    id: Type.String(),
    app: Type.String(),
    portfolio_id: NullableString,
    name: NullableString,
    add_numbers: Type.Boolean(),
    senders: Type.Integer({ description: 'Its numbers that are senders of the tenant.' }),
    token_valid: NullableBoolean('Whether the token reads the account; null: WhatsApp has not been asked.'),
    token_detail: told('What is wrong with the token, and what to do.'),
    token_expires_at: Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'Null: never, or nobody knows: only an app whose meta_app_id is given can ask.',
    }),
    review_status: NullableString,
    messaging_limit: told('How many people its portfolio may write to first in 24 hours: TIER_250 and its like.'),
    subscribe_wanted: Type.Boolean(),
    subscribed: NullableBoolean('Whether its webhooks come to its app; null: it is not known.'),
    synced_at: Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When it was last read from WhatsApp.',
    }),
    checked_at: Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When WhatsApp was last asked, whatever came of it.',
    }),
    sync_detail: told('What went wrong when it was last read; null: nothing.'),
    templates_synced_at: NullableTime,
    created_at: Time,
  },
  { $id: 'Account', description: 'A WhatsApp Business Account, without its token.' },
);
const AccountList = pageOf('accounts', reference(AccountObject), 'AccountList');

const AccountAlertObject = Type.Object(
  {
    id: Type.String(),
    time: Time,
    field: Type.String({ description: "The webhook's field: account_alerts, account_update, security, …" }),
    payload: Type.Unsafe<object>({ type: 'object', additionalProperties: true, description: 'Its value, as it came.' }),
  },
  { $id: 'AccountAlert' },
);
const AccountAlertList = pageOf('alerts', reference(AccountAlertObject), 'AccountAlertList');

const SubscriptionObject = Type.Object(
  {
    account_id: Type.String(),
    app: Type.String(),
    wanted: Type.Boolean({ description: 'Whether its webhooks are to come.' }),
    subscribed: NullableBoolean('Whether WhatsApp says that they do; null: it has not said.'),
    detail: NullableString,
    checked_at: NullableTime,
  },
  { $id: 'AccountSubscription', description: 'Whether webhooks of an account come to its app.' },
);

export const AccountPage = Type.Object({ ...TENANT, ...PAGE }, closed);
const OfTenant = Type.Object(TENANT, closed);
const tags = ['accounts'];
const headers = TenantHeader;
const read = { 200: reference(AccountObject), ...ERRORS_OF_ROUTES };
const asked = { 202: reference(AccountObject), ...ERRORS_OF_ROUTES };
const subscription = { 202: reference(SubscriptionObject), ...ERRORS_OF_ROUTES };
const SHORTLY =
  'It is read from WhatsApp at once; the answer waits for that a few seconds, and tells what is known then.';

export const ACCOUNT_ROUTES = {
  create: {
    tags,
    summary: 'Add a WhatsApp Business Account by a token',
    description: `Its numbers become senders, unless add_numbers is false. ${SHORTLY}`,
    querystring: Type.Object({}, closed),
    headers,
    body: AccountBody,
    response: asked,
  },
  list: {
    tags,
    summary: 'List accounts',
    querystring: AccountPage,
    headers,
    response: { 200: reference(AccountList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'An account', querystring: OfTenant, headers, response: read },
  change: {
    tags,
    summary: 'Change an account',
    description: `A new access_token goes to all its senders, and messages that waited for one go on. ${SHORTLY}`,
    querystring: OfTenant,
    headers,
    body: AccountChange,
    response: read,
  },
  remove: {
    tags,
    summary: 'Delete an account whose senders have never sent or received, with them',
    querystring: OfTenant,
    headers,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
  sync: {
    tags,
    summary: 'Read an account from WhatsApp',
    description: SHORTLY,
    querystring: OfTenant,
    headers,
    response: asked,
  },
  alerts: {
    tags,
    summary: 'What WhatsApp told of an account and nobody asked for, the newest first',
    querystring: AccountPage,
    headers,
    response: { 200: reference(AccountAlertList), ...ERRORS_OF_ROUTES },
  },
  subscription: {
    tags,
    summary: 'Whether webhooks of an account come to its app',
    querystring: OfTenant,
    headers,
    response: { 200: reference(SubscriptionObject), ...ERRORS_OF_ROUTES },
  },
  subscribe: {
    tags,
    summary: 'Let webhooks of an account come to its app',
    description: SHORTLY,
    querystring: OfTenant,
    headers,
    response: subscription,
  },
  unsubscribe: {
    tags,
    summary: 'Let webhooks of an account come no more',
    description: SHORTLY,
    querystring: OfTenant,
    headers,
    response: subscription,
  },
} as const;

export const ACCOUNT_PARTS = [
  AccountObject,
  AccountBody,
  AccountChange,
  AccountList,
  AccountAlertObject,
  AccountAlertList,
  SubscriptionObject,
];
