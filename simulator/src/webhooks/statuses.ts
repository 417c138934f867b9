import { Delays } from '../delays.ts';
import { type Fate, fateOf, type Kind, type WebhookFault } from '../faults/plan.ts';
import { webhookError } from '../graph/errors.ts';
import type { BusinessNumber } from '../numbers.ts';
import type { Settings } from '../settings.ts';
import { type Sent, type Status, statusesEnvelope, statusOf } from './payloads.ts';
import type { WebhookQueue } from './queue.ts';
import { escapedJson } from './signature.ts';

/** How long a status waits for others to share its webhook. Milliseconds. */
const GROUPING = 20;
/** How many statuses may lie ahead. Beyond it they are lost, and counted so. */
const MAX_AHEAD = 3_000_000;
const USUAL = fateOf([], 'sent');

interface Coming {
  number: BusinessNumber;
  sent: Sent;
  status: Status['status'];
  acceptedAt: number;
  after: number;
  code: number;
  fate: Fate;
}

interface Group {
  number: BusinessNumber;
  statuses: Status[];
  sent: Sent[];
}

/** Lets the statuses of accepted messages come about in their time, and sends them, alone or in groups. */
export class Statuses {
  readonly #settings: Settings;
  readonly #queue: WebhookQueue;
  readonly #coming = new Delays<Coming>((coming) => this.#happen(coming));
  readonly #groups = new Map<string, Group>();
  readonly #flushes = new Delays<Group>((group) => this.#flush(group));

  constructor(settings: Settings, queue: WebhookQueue) {
    this.#settings = settings;
    this.#queue = queue;
  }

  /** How many statuses lie ahead. */
  get ahead(): number {
    return this.#coming.size;
  }

  /** Begins the life of a message: sent, delivered, read, or failed with a code where *sent* would have been. */
  begin(
    number: BusinessNumber,
    sent: Sent,
    acceptedAt: number,
    faults: readonly WebhookFault[],
    failure?: number,
  ): void {
    const { sent_after, delivered_after, read_after, reads } = this.#settings;
    if (failure !== undefined) {
      this.#expect(number, sent, 'failed', acceptedAt, sent_after, sent_after, faults, failure);
      return;
    }
    // Reordered, each comes in the place of its mirror image; the times that they tell stay true.
    const reordered = faults.some((fault) => fault.kind === 'webhook_reorder');
    this.#expect(number, sent, 'sent', acceptedAt, sent_after, reordered ? read_after : sent_after, faults);
    this.#expect(number, sent, 'delivered', acceptedAt, delivered_after, delivered_after, faults);
    if (!reads) return;
    this.#expect(number, sent, 'read', acceptedAt, read_after, reordered ? sent_after : read_after, faults);
  }

  /** Only the first step of a message that never arrives: the customer has blocked the number. */
  beginUndelivered(number: BusinessNumber, sent: Sent, acceptedAt: number, faults: readonly WebhookFault[]): void {
    const { sent_after } = this.#settings;
    this.#expect(number, sent, 'sent', acceptedAt, sent_after, sent_after, faults);
  }

  /** One status now, because somebody says so. */
  say(number: BusinessNumber, sent: Sent, status: Status['status'], at: number, code?: number): void {
    const error = status === 'failed' ? webhookError(code ?? 131000) : undefined;
    this.#send(number, [statusOf(sent, status, at, error)], [sent], true);
  }

  clear(): void {
    this.#coming.clear();
    this.#flushes.clear();
    this.#groups.clear();
  }

  #expect(
    number: BusinessNumber,
    sent: Sent,
    status: Status['status'],
    acceptedAt: number,
    after: number,
    comesAfter: number,
    faults: readonly WebhookFault[],
    code = 0,
  ): void {
    const fate = faults.length === 0 ? USUAL : fateOf(faults, status);
    if (fate.lost || this.#coming.size >= MAX_AHEAD) this.#queue.countLost(status);
    else this.#coming.add(comesAfter + fate.delay, { number, sent, status, acceptedAt, after, code, fate });
  }

  #happen({ number, sent, status, acceptedAt, after, code, fate }: Coming): void {
    const error = status === 'failed' ? webhookError(code) : undefined;
    const built = statusOf(sent, status, acceptedAt + after, error);
    for (let copy = 0; copy < fate.copies; copy++) {
      // What is never retried travels alone, or others would share its fate.
      if (this.#settings.statuses_per_webhook === 1 || !fate.retried) this.#send(number, [built], [sent], fate.retried);
      else this.#group(number, built, sent);
    }
  }

  #group(number: BusinessNumber, status: Status, sent: Sent): void {
    let group = this.#groups.get(number.phone_number_id);
    if (!group) {
      group = { number, statuses: [], sent: [] };
      this.#groups.set(number.phone_number_id, group);
      this.#flushes.add(GROUPING, group);
    }
    group.statuses.push(status);
    group.sent.push(sent);
    if (group.statuses.length >= this.#settings.statuses_per_webhook) this.#flush(group);
  }

  #flush(group: Group): void {
    // Its time may come after it was full and went.
    if (this.#groups.get(group.number.phone_number_id) !== group) return;
    this.#groups.delete(group.number.phone_number_id);
    this.#send(group.number, group.statuses, group.sent, true);
  }

  #send(number: BusinessNumber, statuses: readonly Status[], sent: readonly Sent[], retried: boolean): void {
    const kinds: readonly Kind[] = statuses.map((item) => item.status);
    this.#queue.add(number, escapedJson(statusesEnvelope(number, statuses, sent)), kinds, retried);
  }
}
