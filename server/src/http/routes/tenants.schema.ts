import Type from 'typebox';
import type { ConsentKeywords } from '../../domain/consent.ts';
import { CATEGORIES } from '../../domain/message.ts';
import type { QuietHours } from '../../domain/schedule/quiet-hours.ts';
import type { DoubtPolicy } from '../../store/tenants.read.ts';
import { ERRORS_OF_ROUTES, NO_QUERY, NullableString, Reference, reference, Time, words } from '../schemas.ts';
import { closed, DeletedAnswer, orNull, PAGE, pageOf } from './record-pages.schema.ts';

const NullableInteger = Type.Unsafe<number | null>({ type: ['integer', 'null'] });

const DoubtPolicyObject = Type.Unsafe<DoubtPolicy>({
  type: 'object',
  properties: Object.fromEntries(CATEGORIES.map((category) => [category, words(['resend', 'tell'])])),
  additionalProperties: false,
  description:
    'By category, what is done when nobody knows whether a message left: `resend` (once), or `tell` (it fails). Absent ones: resend for service and utility, tell for authentication and marketing.',
});

const name = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' });
const externalId = Reference('Your own id of it, which finds it as well as ours does.');
const quota = Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'Messages a calendar month, UTC.' });
const rate = Type.Integer({ minimum: 1, maximum: 100_000, description: 'Requests a second of the API, on average.' });
const burst = Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Requests that may come at once.' });
const retention = Type.Integer({
  minimum: 1,
  maximum: 36_500,
  description:
    'Days that what people say in conversations is kept, where the conversation says nothing. null: for ever.',
});

const Keywords = Type.Array(Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}\\p{Cs}]+$' }), {
  maxItems: 100,
});
const OwnKeywords = Type.Unsafe<Partial<ConsentKeywords>>({
  type: 'object',
  properties: { opt_out: Keywords, opt_in: Keywords },
  additionalProperties: false,
  description:
    "Words by which its customers opt out and in, instead of the configuration's; what is absent stays as there.",
});

const clock = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description: 'HH:MM.' });
const QuietHoursObject = Type.Unsafe<QuietHours>({
  type: 'object',
  properties: Object.fromEntries(
    CATEGORIES.map((category) => [category, Type.Object({ from: clock, to: clock }, closed)]),
  ),
  additionalProperties: false,
  description:
    "By category, when its messages wait: from one time of day to another, over midnight as well, by the recipient's clock. His contact's attribute `timezone` says which that is, else his number's country; one of several zones is quiet while any of them is.",
});

const optional = {
  external_id: Type.Optional(orNull(externalId)),
  monthly_quota: Type.Optional(orNull(quota)),
  requests_per_second: Type.Optional(orNull(rate)),
  request_burst: Type.Optional(orNull(burst)),
  doubt_policy: Type.Optional(DoubtPolicyObject),
  consent_keywords: Type.Optional(orNull(OwnKeywords)),
  quiet_hours: Type.Optional(QuietHoursObject),
  retention_days: Type.Optional(orNull(retention)),
  processing: Type.Optional(Type.Boolean({ description: 'false: nothing of it leaves, as after /processor/stop.' })),
};

const TenantBody = Type.Object({ name, ...optional }, { ...closed, $id: 'TenantBody' });
const TenantChange = Type.Object(
  { name: Type.Optional(name), ...optional },
  { ...closed, $id: 'TenantChange', minProperties: 1 },
);

const TenantObject = Type.Object(
  {
    id: Type.String(),
    external_id: NullableString,
    name: Type.String(),
    monthly_quota: NullableInteger,
    requests_per_second: NullableInteger,
    request_burst: NullableInteger,
    doubt_policy: DoubtPolicyObject,
    processing: Type.Boolean(),
    consent_keywords: orNull(OwnKeywords),
    quiet_hours: QuietHoursObject,
    retention_days: NullableInteger,
    created_at: Time,
  },
  { $id: 'Tenant', description: 'A tenant. Limits that are null: what the configuration says.' },
);
const TenantList = pageOf('tenants', reference(TenantObject), 'TenantList');
export const TenantPage = Type.Object(PAGE, closed);

const tags = ['tenants'];
const one = { 200: reference(TenantObject), ...ERRORS_OF_ROUTES };

export const TENANT_ROUTES = {
  create: {
    tags,
    summary: 'Make a tenant',
    description: 'Give an external_id, and a request that is repeated makes no second one: it is 409 already_exists.',
    querystring: NO_QUERY,
    body: TenantBody,
    response: { 201: reference(TenantObject), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List tenants, the newest first',
    querystring: TenantPage,
    response: { 200: reference(TenantList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'A tenant, by own or external id', querystring: NO_QUERY, response: one },
  change: {
    tags,
    summary: 'Change a tenant',
    description: 'What is absent stays; null takes away. Another instance knows of it within 5 s.',
    querystring: NO_QUERY,
    body: TenantChange,
    response: one,
  },
  remove: {
    tags,
    summary: 'Delete a tenant that has no senders, and its keys',
    querystring: NO_QUERY,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

export const TENANT_PARTS = [TenantObject, TenantBody, TenantChange, TenantList, DeletedAnswer];
