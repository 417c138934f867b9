import { setTimeout as sleep } from 'node:timers/promises';
import { findParked, forgetParked } from '../actions/apply-receipts.ts';
import { applyInTheEnd, finishStoredWork, takeStoredWork } from '../actions/apply-work.ts';
import { recordEvidence } from '../actions/record-evidence.ts';
import type { StoredWork } from '../actions/store-webhook.ts';
import type { WebhookItem } from '../channels/whatsapp/webhook/items.ts';
import type { InstanceId } from '../domain/ids.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import { createPause } from '../runtime/pause.ts';
import { createNumberRoutes } from './number-routes.ts';
import { type ApplierOptions, createWebhookApplier, type HeardItem } from './webhook-applier.ts';

/**
 * The receiving loop: takes what was stored, reads every item, and applies all of it in few statements. What an instance
 * stored it is handed at once; what it could not apply before it died, another finds by its record of work. Applying twice
 * changes nothing, so the record is deleted only with or after the last of its effects.
 */
export interface InboundOptions extends Omit<ApplierOptions, 'routes' | 'evidence'> {
  /** Reads the items of a webhook. Never throws. */
  readWebhook: (body: Buffer) => WebhookItem[];
  clock: Clock;
  instance: InstanceId;
  /** Milliseconds between looks for work that was left behind, and for receipts that were parked. */
  pollInterval: number;
  /** How many webhooks, and bytes of them, wait in memory at most. Absent: 20,000 and 128 MB. */
  room?: { webhooks: number; bytes: number };
}

export interface Inbound extends Part {
  /** Hands over what was just stored. */
  add(work: readonly StoredWork[]): void;
  /** Stored webhooks that wait in memory. */
  readonly backlog: number;
}

const MOST_TOGETHER = 400;
/** Milliseconds between two statements that apply webhooks. */
const GATHER = 5;
/** Items that one statement applies: a webhook may have a thousand. */
const MOST_ITEMS = 1000;
/** Beyond this many webhooks in memory, or bytes of them, work is left in the database and read back when there is room. */
const ROOM = { webhooks: 20_000, bytes: 128 * 1024 * 1024 };
const LEFT_BEHIND_LIMIT = 50;
/** Milliseconds after which work of our own that we were not handed is ours to find: its commit was not heard of. */
const OWN_AFTER = 10_000;

type RawWebhook = StoredWork['webhooks'][number];

export function createInbound(options: InboundOptions): Inbound {
  const { db, readWebhook, clock, logger, instance, room = ROOM } = options;
  const evidence = recordEvidence(db, clock);
  const applier = createWebhookApplier({ ...options, routes: createNumberRoutes(db, clock), evidence });
  const idle = createPause();
  let queue: StoredWork[] = [];
  let backlog = 0;
  let bytes = 0;
  /** What comes is left in the database, until all that was left there has been read back: else it would overtake it. */
  let isFull = false;
  /** How often something was left there. */
  let leftThere = 0;
  let stopping = false;
  let loop: Promise<void> = Promise.resolve();
  let lookedAt = Number.NEGATIVE_INFINITY;

  function add(work: readonly StoredWork[]): void {
    if (!isFull && !hasRoom()) {
      isFull = true;
      logger.warn({ webhooks: backlog, bytes }, 'more webhooks come than are applied: they wait in the database');
    }
    if (isFull) leftThere++;
    else hold(work);
    idle.wake();
  }

  function hasRoom(): boolean {
    return backlog < room.webhooks && bytes < room.bytes;
  }

  function hold(work: readonly StoredWork[]): void {
    for (const one of work) {
      queue.push(one);
      backlog += one.webhooks.length;
      bytes += sizeOf(one);
    }
  }

  async function run(): Promise<void> {
    let hasFailed = false;
    while (!stopping || queue.length > 0) {
      if (queue.length === 0 && (!isFull || hasFailed)) await idle.wait(options.pollInterval);
      idle.reset();
      const part = takeSome();
      if (part.length > 0) {
        const ids = part.map((one) => one.id);
        await applyInTheEnd(() => apply(part, ids)).catch((error: unknown) => setAside(part, error));
        // Under load the next ones gather for a moment: a statement for many rows costs less than several for few.
        if (!stopping && backlog < MOST_TOGETHER) await sleep(GATHER);
      }
      if (!stopping && (clock.monotonic() - lookedAt > options.pollInterval || (isFull && queue.length === 0))) {
        lookedAt = clock.monotonic();
        hasFailed = false;
        await lookAround().catch((error: unknown) => {
          hasFailed = true;
          logger.warn({ error }, 'looking for stored webhooks failed');
        });
      }
    }
  }

  function takeSome(): StoredWork[] {
    let count = 0;
    let end = 0;
    while (end < queue.length && count < MOST_TOGETHER) count += (queue[end++] as StoredWork).webhooks.length;
    const part = queue.slice(0, end);
    queue = queue.slice(end);
    backlog -= count;
    for (const one of part) bytes -= sizeOf(one);
    return part;
  }

  async function lookAround(): Promise<void> {
    if (hasRoom()) {
      const ownAfter = queue.length > 0 ? null : isFull ? 0 : OWN_AFTER;
      const leftBefore = leftThere;
      const left = await takeStoredWork(db, instance, LEFT_BEHIND_LIMIT, ownAfter);
      if (left.length > 0) logger.info({ work: left.length }, 'took over stored webhooks that were not applied');
      else if (ownAfter === 0 && leftThere === leftBefore) isFull = false;
      hold(left);
    }
    await evidence.write();
    const parked = await findParked(db);
    if (parked.length === 0) return;
    await applier.applyParked(parked);
    await forgetParked(db, parked);
  }

  async function apply(work: readonly StoredWork[], doneWork: readonly string[]): Promise<void> {
    let items: HeardItem[] = [];
    for (const { webhooks } of work) {
      for (const webhook of webhooks) {
        items.push(...heardIn(webhook));
        while (items.length > MOST_ITEMS) {
          await applier.apply(items.slice(0, MOST_ITEMS), []);
          items = items.slice(MOST_ITEMS);
        }
      }
    }
    await applier.apply(items, doneWork);
  }

  function heardIn({ app, id, body }: RawWebhook): HeardItem[] {
    return readWebhook(body).map((item) => ({ app, webhook: id, item }));
  }

  /** Applies webhooks one by one after they failed together. */
  async function setAside(work: readonly StoredWork[], error: unknown): Promise<void> {
    logger.warn({ error, part: 'inbound' }, 'webhooks could not be applied together; they are applied one by one');
    for (const { id, webhooks } of work) {
      for (const webhook of webhooks) {
        // Not done before the last of them: a crash in between repeats them.
        await applyInTheEnd(() => apply([{ id, webhooks: [webhook] }], [])).catch(() =>
          applyByHalves(heardIn(webhook)),
        );
      }
      await applyInTheEnd(() => finishStoredWork(db, [id]));
    }
  }

  /** Applies items that failed together by halves, in their order; what is at fault is noted and kept, the others are applied. */
  async function applyByHalves(items: readonly HeardItem[]): Promise<void> {
    const half = Math.ceil(items.length / 2);
    for (const part of [items.slice(0, half), items.slice(half)]) {
      await applyInTheEnd(() => applier.apply(part, [])).catch(async (fault: unknown) => {
        const [heard] = part;
        if (part.length > 1 || !heard) return applyByHalves(part);
        const { app, webhook, item } = heard;
        const text = `${item.place}: ${fault instanceof Error ? fault.message : String(fault)}`;
        logger.error({ error: fault, part: 'inbound' }, 'an item could not be applied; it is kept in raw_webhooks');
        await applyInTheEnd(() => applier.note(app, webhook, [{ reason: 'failed', text }]));
      });
    }
  }

  return {
    ...part(
      'inbound',
      async () => {
        loop = run();
      },
      async () => {
        stopping = true;
        idle.wake();
        await loop;
      },
    ),
    add,
    get backlog() {
      return backlog;
    },
  };
}

function sizeOf({ webhooks }: StoredWork): number {
  return webhooks.reduce((sum, { body }) => sum + body.length, 0);
}
