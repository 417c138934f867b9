import { BadInput, fieldsOf, optionalBoolean, optionalNumber, optionalWord } from './input.ts';
import { isObject, type JsonObject } from './json.ts';

/** Limits of Meta that are enforced only when told. */
export const ENFORCEABLE = ['window', 'pair_rate', 'throughput', 'messaging_limit', 'marketing_cap'] as const;
export type Enforceable = (typeof ENFORCEABLE)[number];

const REVIEWS = ['automatic', 'manual'] as const;

/** How the simulated network behaves when nothing goes wrong. Times are milliseconds after a message was accepted. */
export interface Settings {
  sent_after: number;
  delivered_after: number;
  read_after: number;
  /** Whether customers read what was delivered. Otherwise only when told. */
  reads: boolean;
  /** How many statuses of one number travel in one webhook. They wait for company at most 20 ms. */
  statuses_per_webhook: number;
  /** How many customers' messages to one number travel in one webhook. They wait for company at most 20 ms. */
  messages_per_webhook: number;
  /** How many webhooks may be on their way at once, over all addresses. */
  webhook_concurrency: number;
  /** Whether new and edited templates are approved by themselves. */
  template_review: (typeof REVIEWS)[number];
  /** When a template is approved, after it was created or edited. */
  template_review_ms: number;
  /** How long the address of a file is good. */
  media_url_ms: number;
  /** Whether webhooks name every customer by a business-scoped user id as well, not only those who were given one. */
  user_ids: boolean;
  /** Whether accounts without a subscribed app send no webhooks. Otherwise theirs go to the default app. */
  only_subscribed: boolean;
  enforce: Record<Enforceable, boolean>;
}

const NOTHING_ENFORCED: Settings['enforce'] = {
  window: false,
  pair_rate: false,
  throughput: false,
  messaging_limit: false,
  marketing_cap: false,
};

/** What the simulator does unless told otherwise. */
export function defaultSettings(): Settings {
  return {
    sent_after: 50,
    delivered_after: 200,
    read_after: 1000,
    reads: true,
    statuses_per_webhook: 1,
    messages_per_webhook: 1,
    webhook_concurrency: 64,
    template_review: 'automatic',
    template_review_ms: 1000,
    media_url_ms: 300_000,
    user_ids: false,
    only_subscribed: false,
    enforce: { ...NOTHING_ENFORCED },
  };
}

const DAY = 86_400_000;

const NUMBERS = {
  sent_after: { min: 0, max: DAY },
  delivered_after: { min: 0, max: DAY },
  read_after: { min: 0, max: DAY },
  statuses_per_webhook: { min: 1, max: 1000 },
  messages_per_webhook: { min: 1, max: 1000 },
  webhook_concurrency: { min: 1, max: 1024 },
  template_review_ms: { min: 0, max: DAY },
  media_url_ms: { min: 1, max: DAY },
} as const satisfies Partial<Record<keyof Settings, { min: number; max: number }>>;
const NUMBER_NAMES = [
  'sent_after',
  'delivered_after',
  'read_after',
  'statuses_per_webhook',
  'messages_per_webhook',
  'webhook_concurrency',
  'template_review_ms',
  'media_url_ms',
] as const;
const SWITCHES = ['reads', 'user_ids', 'only_subscribed'] as const;

/** Changes in `settings` what `body` names, all or nothing. Throws BadInput. */
export function changeSettings(settings: Settings, body: unknown): void {
  const fields = fieldsOf(body, [...NUMBER_NAMES, ...SWITCHES, 'template_review', 'enforce']);
  const changed = { ...settings };
  for (const name of NUMBER_NAMES) changed[name] = optionalNumber(fields, name, NUMBERS[name]) ?? settings[name];
  for (const name of SWITCHES) changed[name] = optionalBoolean(fields, name) ?? settings[name];
  changed.template_review = optionalWord(fields, 'template_review', REVIEWS) ?? settings.template_review;
  changed.enforce = enforced(fields, settings.enforce);
  Object.assign(settings, changed);
}

/** `true` and `false` mean all limits; an object, those that it names. */
function enforced(fields: JsonObject, before: Settings['enforce']): Settings['enforce'] {
  const { enforce } = fields;
  if (enforce === undefined || enforce === null) return before;
  const changed = { ...before };
  if (typeof enforce === 'boolean') {
    for (const limit of ENFORCEABLE) changed[limit] = enforce;
    return changed;
  }
  if (!isObject(enforce)) throw new BadInput('enforce', 'must be true, false or an object of limits');
  const named = fieldsOf(enforce, ENFORCEABLE, 'enforce.');
  for (const limit of ENFORCEABLE) changed[limit] = optionalBoolean(named, limit, 'enforce.') ?? before[limit];
  return changed;
}
