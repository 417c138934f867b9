import Type from 'typebox';
import { PARAMETER_FORMATS, TEMPLATE_CATEGORIES } from '../../domain/template-definition.ts';
import { TEMPLATE_INTENTS } from '../../domain/template-provider.ts';
import { ERRORS_OF_ROUTES, NO_BODY, NullableString, Reference, reference, Time, words } from '../schemas.ts';
import { closed, DeletedAnswer, PAGE, pageOf, TENANT, TenantHeader } from './record-pages.schema.ts';

const Name = Type.String({ pattern: '^[a-z0-9_]{1,512}$', description: 'Small letters, digits and _.' });
const Language = Type.String({
  pattern: '^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}$',
  description: 'Like en, en_US or pt_BR.',
});
const account = {
  account_id: Type.Optional(Type.String({ pattern: '^\\d{5,20}$', description: 'The WhatsApp Business Account.' })),
  sender_id: Type.Optional(
    Reference('Instead of account_id: a sender of it, by own or external id. Neither: the default sender.'),
  ),
};
const Category = words(TEMPLATE_CATEGORIES);
const Format = words(PARAMETER_FORMATS, { description: 'POSITIONAL if absent: {{1}}. NAMED: {{first_name}}.' });

const Components = Type.Unsafe<readonly Record<string, unknown>[]>({
  type: 'array',
  minItems: 1,
  maxItems: 10,
  items: { type: 'object', additionalProperties: true },
  description: 'As WhatsApp defines them: HEADER, BODY, FOOTER, BUTTONS, CAROUSEL, LIMITED_TIME_OFFER.',
});
const Sent = Type.Unsafe<readonly Record<string, unknown>[]>({
  type: 'array',
  maxItems: 50,
  items: { type: 'object', additionalProperties: true },
  description: 'As in a message: what a send gives the template. Checked as a send is.',
});
const Variables = Type.Unsafe<Record<string, string | number>>({
  type: 'object',
  additionalProperties: { type: ['string', 'number'] },
  maxProperties: 100,
  description:
    'Values by name: 1, 2, … of the body or the names of a NAMED template; header.NAME for the header alone, button.INDEX for a button. What has none shows its example.',
});
const Ttl = Type.Integer({
  minimum: -1,
  maximum: 2_592_000,
  description: 'How long WhatsApp tries to deliver, in seconds; -1: 30 days.',
});

const TemplateBody = Type.Object(
  {
    ...TENANT,
    ...account,
    name: Name,
    language: Language,
    category: Category,
    parameter_format: Type.Optional(Format),
    components: Components,
    allow_category_change: Type.Optional(
      Type.Boolean({ description: 'Whether WhatsApp may give it another category instead of rejecting it.' }),
    ),
    message_send_ttl_seconds: Type.Optional(Ttl),
  },
  { ...closed, $id: 'TemplateBody' },
);

const TemplateChange = Type.Object(
  {
    category: Type.Optional(Category),
    components: Type.Optional(Components),
    message_send_ttl_seconds: Type.Optional(Ttl),
  },
  { ...closed, $id: 'TemplateChange', minProperties: 1 },
);

const TemplateObject = Type.Object(
  {
    id: Type.String(),
    account_id: Type.String(),
    whatsapp_template_id: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Null: WhatsApp has not been told of it yet, or did not take it.',
    }),
    name: Type.String(),
    language: Type.String(),
    status: Type.String({
      description:
        "WhatsApp's word: APPROVED, PENDING, REJECTED, PAUSED, DISABLED, … SUBMITTING: WhatsApp is still to be told. REFUSED: it did not take it.",
    }),
    category: Category,
    quality: NullableString,
    parameter_format: words(PARAMETER_FORMATS),
    components: Type.Array(Type.Unsafe<object>({ type: 'object', additionalProperties: true })),
    reason: Type.Unsafe<string | null>({
      type: ['string', 'null'],
      description: 'Why it was rejected, paused or refused, or why WhatsApp could not be told yet.',
    }),
    refusal: Type.Unsafe<{ code: number; subcode: number | null; title: string; detail: string | null } | null>({
      type: ['object', 'null'],
      properties: {
        code: { type: 'integer' },
        subcode: { type: ['integer', 'null'] },
        title: { type: 'string' },
        detail: { type: ['string', 'null'] },
      },
      description: 'What WhatsApp said when it did not take the last creation, edit or deletion.',
    }),
    pending: Type.Unsafe<(typeof TEMPLATE_INTENTS)[number] | null>({
      type: ['string', 'null'],
      enum: [...TEMPLATE_INTENTS, null],
      description: 'What WhatsApp is still to be told.',
    }),
    created_at: Time,
    updated_at: Time,
  },
  { $id: 'Template', description: 'A message template, as WhatsApp has it.' },
);
const TemplateList = pageOf('templates', reference(TemplateObject), 'TemplateList');

const Header = Type.Unsafe<object | null>({
  type: ['object', 'null'],
  properties: {
    format: { type: 'string' },
    text: { type: ['string', 'null'] },
    media_id: { type: ['string', 'null'] },
    link: { type: ['string', 'null'] },
    filename: { type: ['string', 'null'] },
    location: {
      type: ['object', 'null'],
      properties: {
        latitude: { type: 'number' },
        longitude: { type: 'number' },
        name: { type: ['string', 'null'] },
        address: { type: ['string', 'null'] },
      },
    },
  },
});
const Buttons = Type.Array(
  Type.Object({
    type: Type.String(),
    text: Type.String(),
    url: NullableString,
    phone_number: NullableString,
    code: NullableString,
  }),
);
const PreviewObject = Type.Object(
  {
    header: Header,
    body: NullableString,
    footer: NullableString,
    offer: Type.Unsafe<{ text: string; expires_at: number | null } | null>({
      type: ['object', 'null'],
      properties: { text: { type: 'string' }, expires_at: { type: ['number', 'null'] } },
    }),
    buttons: Buttons,
    cards: Type.Array(Type.Object({ header: Header, body: NullableString, buttons: Buttons })),
    text: Type.String({ description: 'All of it as plain text.' }),
  },
  { $id: 'TemplatePreview', description: 'What the customer will see.' },
);

const given = { components: Type.Optional(Sent), variables: Type.Optional(Variables) };
const PreviewBody = Type.Object(given, closed);
const InlinePreviewBody = Type.Object(
  {
    definition: Type.Object(
      { category: Category, parameter_format: Type.Optional(Format), components: Components },
      closed,
    ),
    ...given,
  },
  closed,
);

export const TemplatePage = Type.Object(
  {
    ...TENANT,
    ...account,
    name: Type.Optional(Name),
    language: Type.Optional(Language),
    status: Type.Optional(Type.String({ pattern: '^[A-Za-z_]{1,50}$', description: "WhatsApp's word: APPROVED." })),
    category: Type.Optional(Category),
    ...PAGE,
  },
  closed,
);
const OfTenant = Type.Object(TENANT, closed);
const SyncBody = Type.Object({ ...TENANT, ...account }, closed);
const SyncAnswer = Type.Object({ account_id: Type.String(), status: words(['syncing']) }, { $id: 'TemplateSync' });

const tags = ['templates'];
const headers = TenantHeader;
const template = reference(TemplateObject);
/** 202: WhatsApp has not answered yet. */
const told = { 200: template, 202: template, ...ERRORS_OF_ROUTES };

export const TEMPLATE_ROUTES = {
  create: {
    tags,
    summary: 'Make a template and submit it to WhatsApp',
    description:
      'It is checked here first; then WhatsApp is told, and answered for some seconds: 201 when it took the template (its review may take a day), 202 when it has not answered yet, 400 template_refused when it did not take it.',
    querystring: Type.Object({}, closed),
    headers,
    body: TemplateBody,
    response: { 201: template, 202: template, ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List templates, the newest first',
    querystring: TemplatePage,
    headers,
    response: { 200: reference(TemplateList), ...ERRORS_OF_ROUTES },
  },
  read: {
    tags,
    summary: 'A template',
    querystring: OfTenant,
    headers,
    response: { 200: template, ...ERRORS_OF_ROUTES },
  },
  change: {
    tags,
    summary: 'Edit a template',
    description:
      'Components are replaced as a whole. WhatsApp lets approved, rejected and paused ones be edited; an approved one keeps its category, and can be edited once a day and ten times in 30 days. It is reviewed anew.',
    querystring: OfTenant,
    headers,
    body: TemplateChange,
    response: told,
  },
  remove: {
    tags,
    summary: 'Delete a template',
    description: 'In this language only. WhatsApp keeps the name of an approved one blocked for 30 days.',
    querystring: OfTenant,
    headers,
    response: { 200: reference(DeletedAnswer), 202: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
  unpause: {
    tags,
    summary: 'Ask WhatsApp to end the pause of a template',
    description: 'Messages that wait for it leave when WhatsApp says that it is sent again.',
    querystring: OfTenant,
    headers,
    body: NO_BODY,
    response: told,
  },
  sync: {
    tags,
    summary: 'Read the templates of an account from WhatsApp now',
    querystring: Type.Object({}, closed),
    headers,
    body: SyncBody,
    response: { 202: reference(SyncAnswer), ...ERRORS_OF_ROUTES },
  },
  preview: {
    tags,
    summary: 'What a customer will see of a template',
    querystring: OfTenant,
    headers,
    body: PreviewBody,
    response: { 200: reference(PreviewObject), ...ERRORS_OF_ROUTES },
  },
  previewInline: {
    tags,
    summary: 'What a customer would see of a template that is not made yet',
    querystring: Type.Object({}, closed),
    body: InlinePreviewBody,
    response: { 200: reference(PreviewObject), ...ERRORS_OF_ROUTES },
  },
} as const;

export const TEMPLATE_PARTS = [TemplateObject, TemplateBody, TemplateChange, TemplateList, PreviewObject, SyncAnswer];
