import { OPT_IN_WORDS, OPT_OUT_WORDS } from '../consent-words.ts';
import { choice, duration, integer, list, text, url } from '../setting.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../units.ts';

/* What decides whether, when and how messages leave. */

export const WHATSAPP = {
  api_url: url({
    default: 'https://graph.facebook.com',
    aliases: ['MSG_SVC_WHATSAPP_API_ENDPOINT'],
    keys: ['whatsapp.api_endpoint'],
    about: 'Where the WhatsApp Cloud API is. In development the simulator takes its place.',
  }),
  api_version: text({
    default: 'v26.0',
    pattern: /^v\d+\.\d+$/,
    expects: 'a version of the Graph API such as v26.0',
    about: 'The version of the Graph API.',
  }),
  request_timeout: duration({
    default: 15 * SECOND,
    min: 100,
    max: 2 * MINUTE,
    aliases: [{ name: 'REQUEST_TIMEOUT_SECONDS', unit: 's' }, 'MSG_SVC_WHATSAPP_TIMEOUT'],
    keys: ['whatsapp.timeout'],
    about: 'How long a call to WhatsApp may take. A send that takes longer has an unknown outcome.',
  }),
  max_in_flight: integer({ default: 256, min: 1, max: 10_000, about: 'The most sends under way at once.' }),
  app_secret: text({
    default: null,
    secret: true,
    about: "The Meta app's secret, which signs webhooks. Kept encrypted once it was given.",
  }),
  verify_token: text({
    default: null,
    secret: true,
    about: 'The word that Meta repeats when it asks whether the webhook address is yours.',
  }),
  number: {
    phone_number_id: text({
      default: null,
      pattern: /^\d{5,20}$/,
      expects: '5 to 20 digits',
      about: "The first business number's id in the Graph API. It becomes the tenant's default sender.",
    }),
    account_id: text({
      default: null,
      pattern: /^\d{5,20}$/,
      expects: '5 to 20 digits',
      about: 'Its WhatsApp Business Account.',
    }),
    portfolio_id: text({
      default: null,
      pattern: /^\d{5,20}$/,
      expects: '5 to 20 digits',
      about: 'Its business portfolio, whose limits its numbers share. Without one, its account stands for it.',
    }),
    phone: text({
      default: null,
      pattern: /^\+[1-9]\d{6,14}$/,
      expects: 'a number like +6281234567890',
      about: 'The number itself.',
    }),
    access_token: text({
      default: null,
      secret: true,
      aliases: ['MSG_SVC_WHATSAPP_API_KEY'],
      keys: ['whatsapp.api_key'],
      about: 'The token that may send from it. Kept encrypted; another one replaces it at the next start.',
    }),
  },
  connections: integer({
    default: 256,
    min: 1,
    max: 1000,
    about: 'The most connections to WhatsApp at once. Each carries one call at a time.',
  }),
  check_interval: duration({
    default: 10 * MINUTE,
    min: SECOND,
    max: 7 * DAY,
    about:
      'How often WhatsApp is asked whether a number is still connected. A new or changed one is asked about at once.',
  }),
  sync_interval: duration({
    default: HOUR,
    min: MINUTE,
    max: 7 * DAY,
    about:
      'How often an account is read from WhatsApp: its token, its numbers, their quality, names and limits. When something changed it is read at once.',
  }),
} as const;

export const ENGINE = {
  lease: duration({
    default: 5 * SECOND,
    min: 2 * SECOND,
    max: MINUTE,
    about:
      'How long an instance owns a lane of messages. After its death, others wait this long before they take over.',
  }),
  lease_renewal: duration({
    default: 1500,
    min: 100,
    max: 20 * SECOND,
    about: 'How often the lease is renewed. At most a third of it.',
  }),
  sender_in_flight: integer({
    default: null,
    min: 1,
    max: 10_000,
    about: 'The most sends of one sender under way at once. Without a number, half of `whatsapp.max_in_flight`.',
  }),
  tenant_in_flight: integer({
    default: null,
    min: 1,
    max: 10_000,
    about:
      'The most sends of one tenant under way at once. Without a number, three quarters of `whatsapp.max_in_flight`.',
  }),
  doubt_grace: duration({
    default: MINUTE,
    min: SECOND,
    max: DAY,
    about:
      'How long after an attempt began its outcome may stay unknown before the policy of its category is asked. Receipts for later attempts must have come as well.',
  }),
  doubt_report_after: duration({
    default: 10 * MINUTE,
    min: SECOND,
    max: 7 * DAY,
    about: 'After this time in doubt a message is reported to the operator.',
  }),
  max_attempts: integer({
    default: null,
    min: 1,
    max: 10_000,
    aliases: [
      { name: 'MAX_RETRIES', plus: 1 },
      { name: 'MSG_SVC_MESSAGE_QUEUE_RETRY_LIMIT', plus: 1 },
      { name: 'MSG_SVC_WHATSAPP_RETRY_ATTEMPTS', plus: 1 },
    ],
    keys: [
      { name: 'message_queue.retry_limit', plus: 1 },
      { name: 'whatsapp.retry_attempts', plus: 1 },
    ],
    about: 'The most attempts for a message. Without a number it is tried until it expires.',
  }),
  backoff_base: duration({
    default: SECOND,
    min: 10,
    max: HOUR,
    aliases: [{ name: 'INITIAL_BACKOFF_SECONDS', unit: 's' }, 'MSG_SVC_WHATSAPP_RETRY_DELAY'],
    keys: ['whatsapp.retry_delay'],
    about: 'The longest wait before the first retry. It doubles with each, and the wait is drawn at random below it.',
  }),
  backoff_cap: duration({
    default: 15 * MINUTE,
    min: 10,
    max: DAY,
    aliases: [{ name: 'MAX_BACKOFF_SECONDS', unit: 's' }],
    about: 'The longest wait before any retry. A Retry-After of the provider may be longer.',
  }),
  messaging_reserve: integer({
    default: 10,
    min: 0,
    max: 90,
    about:
      'The part of the users that a portfolio may reach in 24 hours which is kept for authentication and utility, in percent. Marketing stops before it.',
  }),
  poll_interval: duration({
    default: 500,
    min: 10,
    max: MINUTE,
    about: 'How often the loops look for work that no signal told of.',
  }),
} as const;

export const MESSAGE_QUEUE = {
  batch_size: integer({
    default: null,
    min: 1,
    max: 100_000,
    aliases: ['MSG_SVC_MESSAGE_QUEUE_BATCH_SIZE'],
    about: 'Paces each sender: at most so many messages leave in one `processing_interval`. Both or neither.',
  }),
  processing_interval: duration({
    default: null,
    min: 100,
    max: DAY,
    aliases: ['MSG_SVC_MESSAGE_QUEUE_PROCESSING_INTERVAL'],
    about: 'How often a paced sender may send its next `batch_size` messages.',
  }),
} as const;

export const LIMITS = {
  per_minute: integer({
    default: null,
    min: 1,
    max: 100_000,
    about: 'The most messages that leave a sender in a minute; the others wait. A sender may have its own.',
  }),
  per_day: integer({
    default: null,
    min: 1,
    max: 100_000_000,
    about: 'The most messages that a sender accepts in a day (UTC); more are refused. A sender may have its own.',
  }),
  monthly_quota: integer({
    default: null,
    min: 0,
    max: 1_000_000_000,
    about: 'The most messages that a tenant sends in a calendar month (UTC). A tenant may have its own.',
  }),
  requests_per_second: integer({
    default: null,
    min: 1,
    max: 100_000,
    about: 'The most requests a second that a tenant may make of the API, on average. A tenant may have its own.',
  }),
  request_burst: integer({
    default: null,
    min: 1,
    max: 1_000_000,
    about: 'How many requests may come at once. Without a number, those of two seconds.',
  }),
} as const;

export const MESSAGES = {
  send_timeout: duration({
    default: 10 * SECOND,
    min: 100,
    max: MINUTE,
    about: 'How long `POST /api/v1/messages/send` waits until the message is sent, before it answers with its state.',
  }),
  validity: duration({
    default: 30 * DAY,
    min: 30 * SECOND,
    max: 30 * DAY,
    about: 'How long a message without `expires_at` may wait to be sent. 30 days is how long Meta keeps one.',
  }),
} as const;

export const IDEMPOTENCY = {
  retention: duration({
    default: DAY,
    min: MINUTE,
    max: 7 * DAY,
    about: 'How long a repeated `Idempotency-Key` gets the first answer.',
  }),
} as const;

export const CONSENT = {
  keyword_scope: choice({
    default: 'marketing',
    words: ['marketing', 'all', 'off'],
    about:
      "What a customer opts out of, and in to again, by a keyword: marketing messages, or all messages. `off`: no customer's message is read for keywords.",
  }),
  opt_out_keywords: list<string>({
    default: OPT_OUT_WORDS,
    expects: 'words of 1 to 100 characters',
    parse: parseKeyword,
    show: (item) => item,
    about:
      'A customer whose whole message, or tapped button, is one of these opts out. Case, accents, and marks around it do not matter. A tenant may have its own.',
  }),
  opt_in_keywords: list<string>({
    default: OPT_IN_WORDS,
    expects: 'words of 1 to 100 characters',
    parse: parseKeyword,
    show: (item) => item,
    about: 'The same for opting in.',
  }),
} as const;

function parseKeyword(item: string): string | undefined {
  return item.length >= 1 && item.length <= 100 && !/[\p{Cc}\p{Cs}]/u.test(item) ? item : undefined;
}
