import { Agent, type Dispatcher } from 'undici';
import { Delays } from '../delays.ts';
import type { Kind } from '../faults/plan.ts';
import { Fifo } from '../fifo.ts';
import { type Log, seldom } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { Addresses, Origin } from './addresses.ts';
import { signatureOf } from './signature.ts';

/** Waits before the second, third and fourth try, and before every later one. Milliseconds. */
const RETRY_WAITS: readonly number[] = [1000, 2000, 4000];
const LAST_RETRY_WAIT = 5000;
const GIVE_UP_AFTER = 7 * 86_400_000;
const TIMEOUT = 10_000;

/** A webhook that waits for its delivery. Its address and signature are found at each try. */
class Webhook {
  readonly origin: Origin;
  readonly app: string;
  readonly body: string;
  readonly kinds: readonly Kind[];
  readonly retried: boolean;
  /** Signed with a secret that is not the app's. */
  readonly forged: boolean;
  readonly since = performance.now();
  tries = 0;
  /** Delivered, dropped or given up: nothing more is done about it. */
  settled = false;

  constructor(
    origin: Origin,
    app: string,
    body: string,
    kinds: readonly Kind[],
    { retried, forged }: { retried: boolean; forged: boolean },
  ) {
    this.origin = origin;
    this.app = app;
    this.forged = forged;
    this.body = body;
    this.kinds = kinds;
    this.retried = retried;
  }
}

type Counts = Record<Kind, number>;

function noCounts(): Counts {
  return { sent: 0, delivered: 0, read: 0, played: 0, failed: 0, message: 0, template: 0, account: 0 };
}

/** What became of webhooks. Everything but `posts` counts what they carry, by kind. */
export interface WebhookStats {
  delivered: Counts;
  /** Thrown away because too many bytes were waiting. */
  dropped: Counts;
  /** Refused, and never tried again: by a fault, or after seven days. */
  given_up: Counts;
  /** Never sent, by a fault. */
  lost: Counts;
  pending: number;
  pending_bytes: number;
  in_flight: number;
  posts: { answered_200: number; refused: number };
}

/**
 * Delivers webhooks: at once if there is room, otherwise in order; refused ones again after 1, 2, 4 and then every 5
 * seconds for seven days, to the address that is registered by then. What waits is bounded in bytes; the oldest goes.
 */
export class WebhookQueue {
  readonly #addresses: Addresses;
  readonly #settings: Settings;
  readonly #maxBytes: number;
  readonly #log: Log;
  readonly #agent: Agent;
  readonly #ready = new Fifo<Webhook>();
  readonly #retries = new Delays<Webhook>((webhook) => this.#offer(webhook));
  /** Everything that is not settled, oldest first. */
  readonly #pending = new Set<Webhook>();
  #bytes = 0;
  #inFlight = 0;
  #closed = false;
  #delivered = noCounts();
  #dropped = noCounts();
  #givenUp = noCounts();
  #lost = noCounts();
  #posts = { answered_200: 0, refused: 0 };

  constructor(addresses: Addresses, settings: Settings, maxBytes: number, log: Log) {
    this.#addresses = addresses;
    this.#settings = settings;
    this.#maxBytes = maxBytes;
    this.#log = seldom(log, 10_000);
    this.#agent = new Agent({
      connections: 1024,
      pipelining: 1,
      connect: { timeout: TIMEOUT },
      headersTimeout: TIMEOUT,
      bodyTimeout: TIMEOUT,
    });
  }

  /** The connections webhooks use, for the challenge at registration. */
  get dispatcher(): Dispatcher {
    return this.#agent;
  }

  /** Takes a webhook on, for every app that is told. Unless `retried`, one try is all it gets. */
  add(origin: Origin, body: string, kinds: readonly Kind[], retried: boolean, forged = false): void {
    if (this.#closed) return;
    for (const app of this.#addresses.appsOf(origin)) {
      const webhook = new Webhook(origin, app, body, kinds, { retried, forged });
      this.#pending.add(webhook);
      this.#bytes += body.length;
      while (this.#bytes > this.#maxBytes && this.#dropOldest());
      this.#offer(webhook);
    }
  }

  /** Counts what a fault keeps from being sent at all. */
  countLost(kind: Kind): void {
    this.#lost[kind]++;
  }

  stats(): WebhookStats {
    return {
      delivered: this.#delivered,
      dropped: this.#dropped,
      given_up: this.#givenUp,
      lost: this.#lost,
      pending: this.#pending.size,
      pending_bytes: this.#bytes,
      in_flight: this.#inFlight,
      posts: this.#posts,
    };
  }

  /** Forgets what waits and what was counted. What is on its way arrives, uncounted. */
  clear(): void {
    for (const webhook of this.#pending) webhook.settled = true;
    this.#pending.clear();
    this.#ready.clear();
    this.#retries.clear();
    this.#bytes = 0;
    this.#delivered = noCounts();
    this.#dropped = noCounts();
    this.#givenUp = noCounts();
    this.#lost = noCounts();
    this.#posts = { answered_200: 0, refused: 0 };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.clear();
    await this.#agent.destroy();
  }

  #offer(webhook: Webhook): void {
    if (webhook.settled) return;
    if (this.#inFlight < this.#settings.webhook_concurrency) this.#post(webhook);
    else this.#ready.push(webhook);
  }

  #post(webhook: Webhook): void {
    webhook.tries++;
    const address = this.#addresses.of(webhook.origin, webhook.app);
    if (!address) {
      this.#refused(webhook, 'no address is registered');
      return;
    }
    this.#inFlight++;
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'facebookexternalua',
      'x-hub-signature-256': signatureOf(
        webhook.body,
        webhook.forged ? `not ${address.app_secret}` : address.app_secret,
      ),
    };
    this.#agent.dispatch(
      { origin: address.origin, path: address.path, method: 'POST', headers, body: webhook.body },
      new Delivery((status, problem) => this.#answered(webhook, status, problem)),
    );
  }

  #answered(webhook: Webhook, status: number, problem: string): void {
    this.#inFlight--;
    if (!webhook.settled) {
      if (status === 200) {
        this.#posts.answered_200++;
        this.#settle(webhook, this.#delivered);
      } else {
        this.#posts.refused++;
        this.#refused(webhook, problem);
      }
    }
    while (this.#inFlight < this.#settings.webhook_concurrency) {
      const next = this.#ready.shift();
      if (!next) return;
      if (!next.settled) this.#post(next);
    }
  }

  #refused(webhook: Webhook, problem: string): void {
    if (!webhook.retried || performance.now() - webhook.since > GIVE_UP_AFTER) {
      this.#settle(webhook, this.#givenUp);
      return;
    }
    this.#log(`a webhook for ${webhook.origin.phone_number_id} did not arrive: ${problem}; it will be tried again`);
    this.#retries.add(RETRY_WAITS[webhook.tries - 1] ?? LAST_RETRY_WAIT, webhook);
  }

  #settle(webhook: Webhook, counts: Counts): void {
    webhook.settled = true;
    this.#pending.delete(webhook);
    this.#bytes -= webhook.body.length;
    for (const kind of webhook.kinds) counts[kind]++;
  }

  #dropOldest(): boolean {
    const [oldest] = this.#pending;
    if (!oldest) return false;
    this.#settle(oldest, this.#dropped);
    this.#log(`more than ${this.#maxBytes} bytes of webhooks wait; the oldest was dropped`);
    return true;
  }
}

/** Reads of an answer its status only, and reports once. 0 stands for no answer. */
class Delivery implements Dispatcher.DispatchHandler {
  readonly #done: (status: number, problem: string) => void;
  #status = 0;
  #reported = false;

  constructor(done: (status: number, problem: string) => void) {
    this.#done = done;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#report(this.#status, `status ${this.#status}`);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#report(0, error.message);
  }

  #report(status: number, problem: string): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#done(status, problem);
  }
}
