import { setTimeout as sleep } from 'node:timers/promises';
import {
  applyReceipts,
  findByWamid,
  findParked,
  forgetParked,
  parkUnknown,
  type ReceiptRules,
} from '../actions/apply-receipts.ts';
import { applyInTheEnd, finishStoredWork, noteTrouble, takeStoredWork } from '../actions/apply-work.ts';
import { type ReceivedMessage, receiveMessages } from '../actions/receive-messages.ts';
import { recordEvidence } from '../actions/record-evidence.ts';
import type { StoredWork } from '../actions/store-webhook.ts';
import type { Marker } from '../channels/whatsapp/mark.ts';
import type { WebhookItem } from '../channels/whatsapp/webhook.ts';
import type { Db } from '../db/pool.ts';
import { type InstanceId, type MessageId, timeOfId } from '../domain/ids.ts';
import type { FailedReceipt, ParkedReceipt, Receipt } from '../domain/receipt.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Signals } from '../signals/signals.ts';
import type { Route } from '../store/routes.read.ts';
import { customerContent } from './customer-content.ts';
import { createNumberRoutes } from './number-routes.ts';

/**
 * The receiving loop: takes what was stored, reads every item, and applies all of it in few statements. What an instance
 * stored it is handed at once; what it could not apply before it died, another finds by its record of work. Applying twice
 * changes nothing, so the record is deleted only with or after the last of its effects.
 */
export interface InboundOptions {
  db: Db;
  signals: Signals;
  /** Reads our own mark in a receipt. */
  marker: Pick<Marker, 'read'>;
  /** Reads the items of a webhook. Never throws. */
  readWebhook: (body: Buffer) => WebhookItem[];
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
  instance: InstanceId;
  rules: ReceiptRules;
  /** Milliseconds between looks for work that was left behind, and for receipts that were parked. */
  pollInterval: number;
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
/** Beyond this many webhooks in memory, work is left in the database and read back when there is room. */
const MOST_IN_MEMORY = 20_000;
const LEFT_BEHIND_LIMIT = 50;

type StatusItem = Extract<WebhookItem, { kind: 'status' }>;

export function createInbound(options: InboundOptions): Inbound {
  const { db, signals, marker, readWebhook, clock, metrics, logger, instance } = options;
  const routes = createNumberRoutes(db, clock);
  const evidence = recordEvidence(db, clock);
  let queue: StoredWork[] = [];
  let backlog = 0;
  let stopping = false;
  let wakeUp: (() => void) | undefined;
  let loop: Promise<void> = Promise.resolve();
  let lookedAt = Number.NEGATIVE_INFINITY;

  function add(work: readonly StoredWork[]): void {
    for (const one of work) {
      queue.push(one);
      backlog += one.webhooks.length;
    }
    wakeUp?.();
  }

  async function run(): Promise<void> {
    while (!stopping || queue.length > 0) {
      if (queue.length === 0) await pause();
      const part = takeSome();
      if (part.length > 0) {
        const ids = part.map((one) => one.id);
        await applyInTheEnd(() => apply(part, ids)).catch((error: unknown) => setAside(part, error));
        // Under load the next ones gather for a moment: a statement for many rows costs less than several for few.
        if (!stopping && backlog < MOST_TOGETHER) await sleep(GATHER);
      }
      if (!stopping && clock.monotonic() - lookedAt > options.pollInterval) {
        lookedAt = clock.monotonic();
        await lookAround().catch((error: unknown) => logger.warn({ error }, 'looking for stored webhooks failed'));
      }
    }
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, options.pollInterval);
      function done(): void {
        clearTimeout(timer);
        wakeUp = undefined;
        resolve();
      }
      wakeUp = done;
    });
  }

  function takeSome(): StoredWork[] {
    let count = 0;
    let end = 0;
    while (end < queue.length && count < MOST_TOGETHER) count += (queue[end++] as StoredWork).webhooks.length;
    const part = queue.slice(0, end);
    queue = queue.slice(end);
    backlog -= count;
    return part;
  }

  async function lookAround(): Promise<void> {
    if (backlog < MOST_IN_MEMORY) {
      const left = await takeStoredWork(db, instance, LEFT_BEHIND_LIMIT, queue.length === 0);
      if (left.length > 0) {
        logger.info({ webhooks: left.length }, 'took over stored webhooks that were not applied');
        add(left);
      }
    }
    await evidence.write();
    const parked = await findParked(db);
    if (parked.length > 0) await applyParked(parked);
  }

  /** @param doneWork the records of work that are done when all of it is applied. */
  async function apply(work: readonly StoredWork[], doneWork: readonly string[]): Promise<void> {
    const statuses: { item: StatusItem; route: Route }[] = [];
    const messages: ReceivedMessage[] = [];
    for (const { webhooks } of work) {
      for (const { app, id, body } of webhooks) {
        const troubles: string[] = [];
        for (const item of readWebhook(body)) {
          if (item.kind === 'other') continue;
          if (item.kind === 'unreadable') {
            troubles.push(item.reason);
            continue;
          }
          const route = await routes.find(app, item.phoneNumberId);
          if (!route) troubles.push(`no sender has the number ${item.phoneNumberId}`);
          else if (item.kind === 'status') {
            statuses.push({ item: { ...item, at: refineSecond(item.at, timeOfId(id)) }, route });
          } else messages.push(receivedMessage(item, route));
        }
        if (troubles.length > 0) {
          metrics.receiptsIgnored.add(troubles.length, { reason: 'unreadable' });
          await noteTrouble(db, app, id, troubles.join('; '));
        }
      }
    }
    if (messages.length > 0) {
      const fresh = await receiveMessages(db, signals, messages, options.rules.slot);
      metrics.received.add(fresh, { type: 'all' });
    }
    if (statuses.length > 0) await applyStatuses(statuses, messages.length > 0 ? [] : doneWork);
    if (statuses.length === 0 || messages.length > 0) await finishStoredWork(db, doneWork);
  }

  async function applyStatuses(
    statuses: readonly { item: StatusItem; route: Route }[],
    doneWork: readonly string[],
  ): Promise<void> {
    const { receipts, failed, parked } = await identify(statuses);
    if (parked.length > 0) {
      await parkUnknown(db, parked);
      metrics.receiptsIgnored.add(parked.length, { reason: 'parked' });
    }
    const applied = await applyReceipts(db, signals, { receipts, failed, doneWork }, options.rules);
    // Only now: evidence must never be seen before the receipts that came with it.
    await evidence.write();
    if (applied.byReceipt > 0) metrics.doubts.add(applied.byReceipt, { decision: 'receipt' });
    for (const status of ['sent', 'delivered', 'read', 'played'] as const) {
      const count = receipts.filter((receipt) => receipt.status === status).length;
      if (count > 0) metrics.receiptsApplied.add(count, { status });
    }
    if (failed.length > 0) metrics.receiptsApplied.add(failed.length, { status: 'failed' });
  }

  /** Finds out which message each receipt names: by our own mark, else by the provider's id. */
  async function identify(statuses: readonly { item: StatusItem; route: Route }[]): Promise<{
    receipts: Receipt[];
    failed: FailedReceipt[];
    parked: ParkedReceipt[];
  }> {
    const receipts: Receipt[] = [];
    const failed: FailedReceipt[] = [];
    const unmarked: { item: StatusItem; route: Route }[] = [];
    const place = (item: StatusItem, route: Route, message: MessageId, attempt: number | null) => {
      const common = {
        tenant: route.tenant_id,
        sender: route.sender_id,
        message,
        wamid: item.wamid,
        attempt,
        at: item.at,
      };
      if (item.status === 'failed') {
        const error = item.error ?? { code: 131000, title: 'failed', detail: null };
        failed.push({ ...common, ...error });
      } else receipts.push({ ...common, status: item.status });
    };
    for (const { item, route } of statuses) {
      const mark = item.opaque === null ? null : marker.read(item.opaque);
      if (mark) {
        place(item, route, mark.message, mark.attempt);
        evidence.note(route.tenant_id, route.sender_id, mark.startedAt);
      } else unmarked.push({ item, route });
    }
    if (unmarked.length === 0) return { receipts, failed, parked: [] };
    const asked = unmarked.map(({ item, route }) => ({ tenant: route.tenant_id, wamid: item.wamid }));
    const named = new Map((await findByWamid(db, asked)).map((row) => [`${row.tenant_id} ${row.wamid}`, row]));
    const parked: ParkedReceipt[] = [];
    for (const { item, route } of unmarked) {
      const row = named.get(`${route.tenant_id} ${item.wamid}`);
      if (row) place(item, route, row.message_id, null);
      else
        parked.push({ tenant_id: route.tenant_id, wamid: item.wamid, status: item.status, receipt: { item, route } });
    }
    return { receipts, failed, parked };
  }

  async function applyParked(parked: readonly ParkedReceipt[]): Promise<void> {
    // What was parked is our own reading of an item, written by this program.
    const statuses = parked.map((one) => one.receipt as { item: StatusItem; route: Route });
    await applyStatuses(statuses, []);
    await forgetParked(db, parked);
  }

  /** Applies webhooks one by one after they failed together; the one at fault is noted and kept, the others go on. */
  async function setAside(work: readonly StoredWork[], error: unknown): Promise<void> {
    for (const { id, webhooks } of work) {
      for (const webhook of webhooks) {
        const alone = webhooks.length === 1 && work.length === 1;
        const one = async () => {
          if (alone) throw error;
          // Not done before the last of them: a crash in between repeats them.
          await apply([{ id, webhooks: [webhook] }], []);
        };
        await applyInTheEnd(one).catch(async (fault: unknown) => {
          const trouble = fault instanceof Error ? fault.message : String(fault);
          logger.error({ error: fault, part: 'inbound' }, 'a webhook could not be applied; it is kept in raw_webhooks');
          await applyInTheEnd(() => noteTrouble(db, webhook.app, webhook.id, trouble));
        });
      }
      await applyInTheEnd(() => finishStoredWork(db, [id]));
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
        wakeUp?.();
        await loop;
      },
    ),
    add,
    get backlog() {
      return backlog;
    },
  };
}

/**
 * The provider tells whole seconds. What was heard within that second cannot have happened later than it was heard: that
 * is the better time, and keeps the order that people see. Milliseconds since 1970.
 */
function refineSecond(second: number, heard: number): number {
  return heard >= second && heard < second + 1000 ? heard : second;
}

function receivedMessage(item: Extract<WebhookItem, { kind: 'message' }>, route: Route): ReceivedMessage {
  return {
    tenant: route.tenant_id,
    sender: route.sender_id,
    wamid: item.wamid,
    type: item.type,
    at: item.at,
    phone: item.phone,
    userId: item.userId,
    name: item.name,
    content: customerContent(item),
    replyTo: item.replyTo,
  };
}
