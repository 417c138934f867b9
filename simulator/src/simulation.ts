import { BlockedUsers } from './blocked-users.ts';
import { Clock } from './clock.ts';
import { Customers } from './customers.ts';
import { DailyCounts } from './faults/daily-counts.ts';
import { LimitCounters } from './faults/limits.ts';
import { MagicNumbers } from './faults/magic-numbers.ts';
import { FaultRules } from './faults/rules.ts';
import { Media } from './graph/media.ts';
import { Uploads } from './graph/uploads.ts';
import type { JsonObject } from './json.ts';
import { Ledger } from './ledger.ts';
import type { Log } from './log.ts';
import { Numbers } from './numbers.ts';
import { Reviews } from './reviews.ts';
import type { Settings } from './settings.ts';
import { Tally } from './tally.ts';
import { type Tell, Templates } from './templates/store.ts';
import { Tokens } from './tokens.ts';
import { accountEnvelope, templateEnvelope } from './webhooks/account-news.ts';
import { Addresses, type Origin } from './webhooks/addresses.ts';
import { Announcements } from './webhooks/announcements.ts';
import { WebhookQueue } from './webhooks/queue.ts';
import { Statuses } from './webhooks/statuses.ts';

/** How much is remembered. When it is exceeded the oldest goes. */
export interface Bounds {
  messages: number;
  body_bytes: number;
  webhook_bytes: number;
  media_bytes: number;
}

/** Everything that the simulated WhatsApp knows and does. */
export interface Simulation {
  settings: Settings;
  clock: Clock;
  numbers: Numbers;
  tokens: Tokens;
  templates: Templates;
  media: Media;
  uploads: Uploads;
  customers: Customers;
  blocked: BlockedUsers;
  reviews: Reviews;
  daily: DailyCounts;
  rules: FaultRules;
  magic: MagicNumbers;
  limits: LimitCounters;
  ledger: Ledger;
  /** What customers wrote, blocked ones left out. */
  inbox: Ledger;
  tally: Tally;
  addresses: Addresses;
  queue: WebhookQueue;
  statuses: Statuses;
  announcements: Announcements;
  /** Says by webhook what became of a template. */
  tellTemplate: Tell;
  /** Says by webhook what became of an account. */
  tellAccount(wabaId: string, field: string, value: JsonObject): void;
}

/** A simulation in which nothing has happened yet. */
export function newSimulation(settings: Settings, bounds: Bounds, tokens: readonly string[], log: Log): Simulation {
  const clock = new Clock();
  const numbers = new Numbers();
  const addresses = new Addresses(settings);
  const queue = new WebhookQueue(addresses, settings, bounds.webhook_bytes, log);
  const announcements = new Announcements(settings, queue);
  const originOf = (wabaId: string): Origin => ({
    waba_id: wabaId,
    phone_number_id: numbers.firstOf(wabaId)?.phone_number_id ?? '',
  });
  const tellTemplate: Tell = (wabaId, template, news) =>
    announcements.announce(originOf(wabaId), templateEnvelope(wabaId, template, news, clock.now()), ['template']);
  return {
    settings,
    clock,
    numbers,
    tokens: new Tokens(clock, tokens),
    templates: new Templates(settings, clock, tellTemplate),
    media: new Media(bounds.media_bytes, clock, settings),
    uploads: new Uploads(),
    customers: new Customers(),
    blocked: new BlockedUsers(),
    reviews: new Reviews(),
    daily: new DailyCounts(),
    rules: new FaultRules(),
    magic: new MagicNumbers(),
    limits: new LimitCounters(),
    ledger: new Ledger({ messages: bounds.messages, bodyBytes: bounds.body_bytes }),
    inbox: new Ledger({ messages: bounds.messages, bodyBytes: Math.floor(bounds.body_bytes / 4) }),
    tally: new Tally(),
    addresses,
    queue,
    statuses: new Statuses(settings, queue),
    announcements,
    tellTemplate,
    tellAccount: (wabaId, field, value) =>
      announcements.announce(originOf(wabaId), accountEnvelope(wabaId, field, value, clock.now()), ['account']),
  };
}

/**
 * Forgets messages, what waits, faults, media, templates, customers and counts, and sets the clock right. Numbers, addresses,
 * subscriptions, tokens and settings stay.
 */
export function reset(simulation: Simulation): void {
  const { statuses, announcements, queue, ledger, rules, magic, limits, media, uploads, templates, tally } = simulation;
  const { inbox, customers, blocked, reviews, daily, clock } = simulation;
  const forgetful = [statuses, announcements, queue, ledger, rules, magic, limits, media, uploads, templates, tally];
  for (const part of [...forgetful, inbox, customers, blocked, reviews, daily, clock]) part.clear();
}
