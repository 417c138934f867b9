import { boolean, bytes, choice, duration, list, text, url } from '../setting.ts';
import { DAY, HOUR, KIB, MIB, MINUTE, SECOND } from '../units.ts';

/* Webhooks that come in, and users' addresses that are called. */

export const WEBHOOKS = {
  retention: duration({
    default: 7 * DAY,
    min: HOUR,
    max: 90 * DAY,
    about: 'How long webhooks are kept as they came, after they were applied.',
  }),
  body_limit: bytes({
    default: 4 * MIB,
    min: 64 * KIB,
    max: 64 * MIB,
    about: 'The largest webhook that is taken in. Meta sends up to 3 MB.',
  }),
} as const;

export const WEBHOOKS_OUT = {
  allow_private: boolean({
    default: false,
    about:
      "Lets customers' webhook endpoints lie at any address, this machine's included; `outgoing.allowed_networks` lets some.",
  }),
  timeout: duration({
    default: 15 * SECOND,
    min: SECOND,
    max: MINUTE,
    about: "How long a customer's webhook endpoint may take to answer.",
  }),
  disable_after: duration({
    default: 5 * DAY,
    min: HOUR,
    max: 90 * DAY,
    about: "After this time without one delivery that went well, a customer's webhook endpoint is disabled.",
  }),
  retention: duration({
    default: 30 * DAY,
    min: DAY,
    max: 365 * DAY,
    about: "How long deliveries to customers' webhooks are kept with what came of each try.",
  }),
} as const;

export const WEBHOOK_CHANNEL = {
  url: url({
    default: null,
    keys: ['client.url'],
    about: "A webhook that messages are posted to instead of WhatsApp: it becomes the first tenant's default sender.",
  }),
  api_key: text({
    default: null,
    secret: true,
    keys: ['client.apiKey'],
    about: 'The key that is sent along to it.',
  }),
  header: text({
    default: 'x-api-key',
    pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/,
    expects: 'the name of a header',
    about: 'The header that the key travels in.',
  }),
  request_timeout: duration({
    default: 10 * SECOND,
    min: 100,
    max: 2 * MINUTE,
    about: 'How long a call to a webhook may take in all.',
  }),
} as const;

export const OUTGOING = {
  allowed_networks: list<string>({
    default: [],
    expects: 'a host name, an address, or a range such as 10.0.0.0/8',
    parse: (item) => (/^[\w.:-]+(\/\d{1,3})?$/.test(item) ? item : undefined),
    show: (item) => item,
    about:
      "Where users' URLs may point beside public addresses. Without this, loopback, private and link-local ones are refused.",
  }),
} as const;

export const TENANT_SERVICE = {
  url: url({
    default: null,
    aliases: ['TENANT_SERVICE_URL'],
    about: "A service that is asked for a tenant's quota before each accept, and for an outlet's credentials.",
  }),
  timeout: duration({ default: 2 * SECOND, min: 100, max: 30 * SECOND, about: 'How long it may take to answer.' }),
  cache: duration({
    default: 5 * SECOND,
    min: 0,
    max: HOUR,
    about: 'How long its answers are believed.',
  }),
  when_down: choice({
    default: 'allow',
    words: ['allow', 'refuse'],
    about: 'Whether messages are accepted, with a warning, while it does not answer.',
  }),
} as const;

export const CONVERSATION_SERVICE = {
  url: url({
    default: null,
    aliases: ['CONVERSATION_SERVICE_URL'],
    about:
      'A service that every message is stored in once it is sent, from the first start with this setting on. While it is down, or the setting is away, they wait; none is lost.',
  }),
  timeout: duration({ default: 5 * SECOND, min: 100, max: MINUTE, about: 'How long it may take to answer.' }),
} as const;
