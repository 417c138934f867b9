import { Delays } from '../delays.ts';
import { type Fate, fateOf, type Kind, type WebhookFault } from '../faults/plan.ts';
import type { BusinessNumber } from '../numbers.ts';
import type { Settings } from '../settings.ts';
import type { Origin } from './addresses.ts';
import { type CustomerMessage, type Envelope, messagesEnvelope } from './payloads.ts';
import type { WebhookQueue } from './queue.ts';
import { escapedJson } from './signature.ts';

interface Announcement {
  origin: Origin;
  body: string;
  kinds: readonly Kind[];
  fate: Fate;
}

interface Group {
  number: BusinessNumber;
  messages: CustomerMessage[];
}

/** How long a customer's message waits for others to share its webhook. Milliseconds. */
const GROUPING = 20;
/** How many may lie ahead. Beyond it they are lost, and counted so. */
const MAX_AHEAD = 1_000_000;

/** Webhooks that are not about a sent message: customers' messages, templates, accounts. */
export class Announcements {
  readonly #settings: Settings;
  readonly #queue: WebhookQueue;
  readonly #ahead = new Delays<Announcement>((announcement) => this.#send(announcement));
  readonly #groups = new Map<string, Group>();
  readonly #flushes = new Delays<Group>((group) => this.#flush(group));

  constructor(settings: Settings, queue: WebhookQueue) {
    this.#settings = settings;
    this.#queue = queue;
  }

  /** Sends a webhook to whoever receives those of its origin, with the faults that concern it. */
  announce(
    origin: Origin,
    envelope: Envelope,
    kinds: readonly [Kind, ...Kind[]],
    faults: readonly WebhookFault[] = [],
  ): void {
    const fate = fateOf(faults, kinds[0]);
    if (fate.lost || this.#ahead.size >= MAX_AHEAD) {
      for (const kind of kinds) this.#queue.countLost(kind);
      return;
    }
    const announcement = { origin, body: escapedJson(envelope), kinds, fate };
    if (fate.delay === 0) this.#send(announcement);
    else this.#ahead.add(fate.delay, announcement);
  }

  /** Sends a customer's message, alone or with others to the same number. One that meets a fault goes alone. */
  tell(number: BusinessNumber, message: CustomerMessage, faults: readonly WebhookFault[] = []): void {
    if (this.#settings.messages_per_webhook === 1 || faults.length > 0) {
      this.announce(number, messagesEnvelope(number, [message]), ['message'], faults);
      return;
    }
    let group = this.#groups.get(number.phone_number_id);
    if (!group) {
      group = { number, messages: [] };
      this.#groups.set(number.phone_number_id, group);
      this.#flushes.add(GROUPING, group);
    }
    group.messages.push(message);
    if (group.messages.length >= this.#settings.messages_per_webhook) this.#flush(group);
  }

  clear(): void {
    this.#ahead.clear();
    this.#flushes.clear();
    this.#groups.clear();
  }

  #flush(group: Group): void {
    // Its time may come after it was full and went.
    if (this.#groups.get(group.number.phone_number_id) !== group) return;
    this.#groups.delete(group.number.phone_number_id);
    const rest: Kind[] = group.messages.slice(1).map(() => 'message');
    this.announce(group.number, messagesEnvelope(group.number, group.messages), ['message', ...rest]);
  }

  #send({ origin, body, kinds, fate }: Announcement): void {
    for (let copy = 0; copy < fate.copies; copy++) this.#queue.add(origin, body, kinds, fate.retried);
  }
}
