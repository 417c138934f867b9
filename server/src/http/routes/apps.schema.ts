import Type from 'typebox';
import { ERRORS_OF_ROUTES, NO_QUERY, NullableString, reference, Time } from '../schemas.ts';
import { closed, DeletedAnswer, orNull, PAGE, pageOf } from './record-pages.schema.ts';

const secret = (description: string) =>
  Type.String({ minLength: 1, maxLength: 512, pattern: '^[\\x21-\\x7e]+$', description });
const own = {
  app_secret: secret("The app's secret, which signs webhooks. Kept encrypted; never told again."),
  verify_token: secret('The word that Meta repeats when it asks whether the address is yours. Kept as the secret is.'),
  meta_app_id: Type.Optional(
    orNull(
      Type.String({
        pattern: '^\\d{5,32}$',
        description: "Meta's id of the app. With it the app can be asked until when tokens are good.",
      }),
    ),
  ),
};

const AppBody = Type.Object(
  {
    id: Type.String({
      pattern: '^[a-z0-9][a-z0-9_-]{0,63}$',
      description: 'What it is called here: its webhooks come to /webhooks/whatsapp/{id}.',
    }),
    ...own,
  },
  { ...closed, $id: 'AppBody' },
);

const AppChange = Type.Object(
  {
    app_secret: Type.Optional(own.app_secret),
    verify_token: Type.Optional(own.verify_token),
    meta_app_id: own.meta_app_id,
    overlap: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        description: 'With a new secret: seconds in which the one before is believed as well. 3600 if absent.',
      }),
    ),
  },
  { ...closed, $id: 'AppChange', minProperties: 1 },
);

const AppObject = Type.Object(
  {
    id: Type.String(),
    meta_app_id: NullableString,
    webhook_path: Type.String(),
    previous_until: Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'Until when webhooks signed with the secret before are believed; null: they are not.',
    }),
    created_at: Time,
  },
  { $id: 'App', description: 'A Meta app, without its secrets.' },
);
const AppList = pageOf('apps', reference(AppObject), 'AppList');
export const AppPage = Type.Object(PAGE, closed);

const tags = ['apps'];
const one = { 200: reference(AppObject), ...ERRORS_OF_ROUTES };

export const APP_ROUTES = {
  create: {
    tags,
    summary: 'Make a Meta app',
    querystring: NO_QUERY,
    body: AppBody,
    response: { 201: reference(AppObject), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List apps',
    querystring: AppPage,
    response: { 200: reference(AppList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'An app', querystring: NO_QUERY, response: one },
  change: {
    tags,
    summary: 'Change an app',
    description:
      'Give the new secret here first, then change it at Meta: while both are believed, no webhook is refused.',
    querystring: NO_QUERY,
    body: AppChange,
    response: one,
  },
  remove: {
    tags,
    summary: 'Delete an app that no account and no sender is of',
    querystring: NO_QUERY,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

export const APP_PARTS = [AppObject, AppBody, AppChange, AppList];
