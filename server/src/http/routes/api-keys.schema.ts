import Type from 'typebox';
import { DIALECTS } from '../../access/principal.ts';
import { SCOPES, type Scope } from '../../domain/api-key.ts';
import { ERRORS_OF_ROUTES, NullableTime, reference, Time, words } from '../schemas.ts';
import { closed, orNull, PAGE, pageOf, TENANT, TenantHeader } from './record-pages.schema.ts';

const fields = {
  name: Type.String({
    minLength: 1,
    maxLength: 200,
    pattern: '^[^\\p{Cc}\\p{Cs}]+$',
    description: 'What it is for, for people.',
  }),
  scopes: Type.Unsafe<Scope[]>({
    type: 'array',
    items: { type: 'string', enum: [...SCOPES] },
    minItems: 1,
    uniqueItems: true,
    description: 'What it may do. admin: everything, for every tenant.',
  }),
  dialect: words(DIALECTS, { description: 'How its holder speaks unless a request says otherwise.' }),
  expires_at: Type.String({ format: 'date-time', description: 'From then on it is refused.' }),
};

const ApiKeyBody = Type.Object(
  {
    ...TENANT,
    name: fields.name,
    scopes: Type.Optional(fields.scopes),
    dialect: Type.Optional(fields.dialect),
    expires_at: Type.Optional(orNull(fields.expires_at)),
  },
  { ...closed, $id: 'ApiKeyBody' },
);

const ApiKeyChange = Type.Object(
  {
    name: Type.Optional(fields.name),
    scopes: Type.Optional(fields.scopes),
    dialect: Type.Optional(fields.dialect),
    expires_at: Type.Optional(orNull(fields.expires_at)),
  },
  { ...closed, $id: 'ApiKeyChange', minProperties: 1 },
);

const ApiKeyObject = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scopes: Type.Array(Type.String()),
    dialect: words(DIALECTS),
    expires_at: NullableTime,
    revoked_at: NullableTime,
    last_used_at: Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'To the minute or so.',
    }),
    created_at: Time,
  },
  { $id: 'ApiKey', description: 'A key, without itself: only its hash is kept.' },
);
const NewApiKey = Type.Object(
  { ...ApiKeyObject.properties, key: Type.String({ description: 'The key itself, told this once.' }) },
  { $id: 'NewApiKey' },
);
const ApiKeyList = pageOf('api_keys', reference(ApiKeyObject), 'ApiKeyList');
export const ApiKeyPage = Type.Object({ ...TENANT, ...PAGE }, closed);
const OfTenant = Type.Object(TENANT, closed);

const tags = ['api-keys'];
const headers = TenantHeader;
const one = { 200: reference(ApiKeyObject), ...ERRORS_OF_ROUTES };

export const API_KEY_ROUTES = {
  create: {
    tags,
    summary: 'Make a key',
    description: 'Without scopes: messages:write, messages:read and events:read. The key is told in this answer only.',
    querystring: Type.Object({}, closed),
    headers,
    body: ApiKeyBody,
    response: { 201: reference(NewApiKey), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List keys, revoked ones too, the newest first',
    querystring: ApiKeyPage,
    headers,
    response: { 200: reference(ApiKeyList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'A key', querystring: OfTenant, headers, response: one },
  change: {
    tags,
    summary: 'Change a key',
    description: 'What is absent stays. Another instance knows of it within 5 s.',
    querystring: OfTenant,
    headers,
    body: ApiKeyChange,
    response: one,
  },
  revoke: {
    tags,
    summary: 'Revoke a key for good',
    description:
      'Requests that have begun go on; later ones are 401, on other instances within 5 s. Doing it again changes nothing.',
    querystring: OfTenant,
    headers,
    response: one,
  },
} as const;

export const API_KEY_PARTS = [ApiKeyObject, NewApiKey, ApiKeyBody, ApiKeyChange, ApiKeyList];
