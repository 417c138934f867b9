import Type from 'typebox';
import { ERRORS_OF_ROUTES, NO_BODY, NO_QUERY, NullableString, Time, words } from '../schemas.ts';

export const DEFAULT_LIMIT = 10;
export const MOST_LIMIT = 1000;

const SentQuery = Type.Object(
  {
    limit: Type.Integer({
      minimum: 1,
      maximum: MOST_LIMIT,
      default: DEFAULT_LIMIT,
      description: 'How many of them.',
    }),
  },
  { additionalProperties: false },
);

const SentMessageItem = Type.Object({
  id: Type.String(),
  webhookMessageId: Type.Unsafe<string | null>({
    ...NullableString,
    description: 'The id that the webhook gave; on WhatsApp, its id of the message.',
  }),
  phoneNumber: Type.String(),
  content: Type.String(),
  status: words(['sent']),
  sentAt: Time,
});

const tags = ['processor'];
const done = (message: string) => Type.Object({ message: Type.String({ examples: [message] }) });

/** The three routes of batch-processor, in its own words. In their errors `error` is the sentence. */
export const ROUTES = {
  start: {
    tags,
    summary: "Let the messages of the key's tenant leave (again)",
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: done('message processor started'), ...ERRORS_OF_ROUTES },
  },
  stop: {
    tags,
    summary: "Let no message of the key's tenant leave, on any instance, until it is started again",
    description: 'It lasts over restarts. What is under way comes to its end; what is accepted waits.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: { 200: done('message processor stopped'), ...ERRORS_OF_ROUTES },
  },
  sent: {
    tags,
    summary: 'What has left last, by WhatsApp and by webhooks, the newest first',
    description: "Among the tenant's 10,000 newest messages. 404 when none of them has left.",
    querystring: SentQuery,
    response: { 200: Type.Array(SentMessageItem), ...ERRORS_OF_ROUTES },
  },
} as const;
