import { Delays } from '../delays.ts';
import { fateOf, type Kind, type WebhookFault } from '../faults/plan.ts';
import type { Envelope } from './payloads.ts';
import type { WebhookQueue } from './queue.ts';
import { escapedJson } from './signature.ts';

interface Announcement {
  phoneNumberId: string;
  body: string;
  kind: Kind;
  copies: number;
  retried: boolean;
}

/** How many may lie ahead. Beyond it they are lost, and counted so. */
const MAX_AHEAD = 1_000_000;

/** Webhooks that are not about a sent message: customers' messages and what becomes of templates. */
export class Announcements {
  readonly #queue: WebhookQueue;
  readonly #ahead = new Delays<Announcement>((announcement) => this.#send(announcement));

  constructor(queue: WebhookQueue) {
    this.#queue = queue;
  }

  /** Sends a webhook to whoever receives those of the number, with the faults that concern it. */
  announce(phoneNumberId: string, envelope: Envelope, kind: Kind, faults: readonly WebhookFault[] = []): void {
    const { lost, delay, copies, retried } = fateOf(faults, kind);
    if (lost || this.#ahead.size >= MAX_AHEAD) {
      this.#queue.countLost(kind);
      return;
    }
    const announcement = { phoneNumberId, body: escapedJson(envelope), kind, copies, retried };
    if (delay === 0) this.#send(announcement);
    else this.#ahead.add(delay, announcement);
  }

  clear(): void {
    this.#ahead.clear();
  }

  #send({ phoneNumberId, body, kind, copies, retried }: Announcement): void {
    for (let copy = 0; copy < copies; copy++) this.#queue.add(phoneNumberId, body, [kind], retried);
  }
}
