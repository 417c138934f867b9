import { LimitCounters } from './faults/limits.ts';
import { MagicNumbers } from './faults/magic-numbers.ts';
import { FaultRules } from './faults/rules.ts';
import { Media } from './graph/media.ts';
import { Templates } from './graph/templates.ts';
import { Ledger } from './ledger.ts';
import type { Log } from './log.ts';
import { Numbers } from './numbers.ts';
import type { Settings } from './settings.ts';
import { Tally } from './tally.ts';
import { Tokens } from './tokens.ts';
import { Addresses } from './webhooks/addresses.ts';
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
  numbers: Numbers;
  tokens: Tokens;
  templates: Templates;
  media: Media;
  rules: FaultRules;
  magic: MagicNumbers;
  limits: LimitCounters;
  ledger: Ledger;
  tally: Tally;
  addresses: Addresses;
  queue: WebhookQueue;
  statuses: Statuses;
  announcements: Announcements;
}

/** A simulation in which nothing has happened yet. */
export function newSimulation(settings: Settings, bounds: Bounds, tokens: readonly string[], log: Log): Simulation {
  const addresses = new Addresses();
  const queue = new WebhookQueue(addresses, settings, bounds.webhook_bytes, log);
  return {
    settings,
    numbers: new Numbers(),
    tokens: new Tokens(tokens),
    templates: new Templates(),
    media: new Media(bounds.media_bytes),
    rules: new FaultRules(),
    magic: new MagicNumbers(),
    limits: new LimitCounters(),
    ledger: new Ledger({ messages: bounds.messages, bodyBytes: bounds.body_bytes }),
    tally: new Tally(),
    addresses,
    queue,
    statuses: new Statuses(settings, queue),
    announcements: new Announcements(queue),
  };
}

/** Forgets messages, what waits, faults, media, templates and counts. Numbers, addresses, tokens and settings stay. */
export function reset(simulation: Simulation): void {
  simulation.statuses.clear();
  simulation.announcements.clear();
  simulation.queue.clear();
  simulation.ledger.clear();
  simulation.rules.clear();
  simulation.magic.clear();
  simulation.limits.clear();
  simulation.media.clear();
  simulation.templates.clear();
  simulation.tally.clear();
}
