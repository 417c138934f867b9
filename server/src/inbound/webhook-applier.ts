import { applyParkedActs, isParkedAct } from '../actions/act-messages.ts';
import { applyReceipts, findByWamid, parkUnknown, type ReceiptRules } from '../actions/apply-receipts.ts';
import { finishStoredWork, noteTrouble } from '../actions/apply-work.ts';
import { createRecipientBook, hearCalls } from '../actions/hear-customers.ts';
import { openPauses } from '../actions/pauses.ts';
import { receiveMessages } from '../actions/receive-messages.ts';
import type { recordEvidence } from '../actions/record-evidence.ts';
import type { Marker } from '../channels/whatsapp/mark.ts';
import type { WebhookItem } from '../channels/whatsapp/webhook/items.ts';
import type { Db } from '../db/pool.ts';
import type { AccountChange, ApplyAccountChanges } from '../domain/account-change.ts';
import { type MessageId, type RawWebhookId, timeOfId } from '../domain/ids.ts';
import type { AfterReceive, CustomerMessage, ReceivedMessage } from '../domain/inbound-message.ts';
import { pauseOf } from '../domain/provider-errors.ts';
import type { FailedReceipt, ParkedReceipt, Receipt } from '../domain/receipt.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Signals } from '../signals/signals.ts';
import type { Route } from '../store/routes.read.ts';
import type { NumberRoutes } from './number-routes.ts';

/** What is done with what webhooks say: all of it, in few statements, and harmless when it is done again. */
export interface ApplierOptions {
  db: Db;
  signals: Signals;
  /** Reads our own mark in a receipt. */
  marker: Pick<Marker, 'read'>;
  routes: NumberRoutes;
  evidence: ReturnType<typeof recordEvidence>;
  metrics: Metrics;
  logger: Logger;
  rules: ReceiptRules;
  /** What applies the changes of an account, by field. Those of a field without an entry are kept raw. */
  applyChanges: Readonly<Record<string, ApplyAccountChanges>>;
  /** What follows from customers' messages. Absent: nothing. */
  afterReceive?: AfterReceive;
}

/** An item with the webhook it stands in. */
export interface HeardItem {
  app: string;
  webhook: RawWebhookId;
  item: WebhookItem;
}

export interface WebhookApplier {
  /** @param doneWork the records of work that are done when all of it is applied. */
  apply(items: readonly HeardItem[], doneWork: readonly string[]): Promise<void>;
  applyParked(parked: readonly ParkedReceipt[]): Promise<void>;
  /** Notes on a webhook why something of it was not applied, and counts it. */
  note(app: string, webhook: RawWebhookId, troubles: readonly Trouble[]): Promise<void>;
}

/** Why something is kept and not applied. */
export interface Trouble {
  reason: 'unreadable' | 'no_sender' | 'left_out' | 'failed';
  text: string;
}

/** Milliseconds between two lines of the log about items that are kept for the same reason. */
const QUIET = 60_000;

type StatusItem = Extract<WebhookItem, { kind: 'status' }>;

/** A receipt of one of our numbers. `mark`: what our own mark in it says, when it has one. */
interface HeardStatus {
  item: StatusItem;
  route: Route;
  mark: ReturnType<Marker['read']>;
}

export function createWebhookApplier(options: ApplierOptions): WebhookApplier {
  const { db, signals, marker, routes, evidence, metrics, logger, rules } = options;
  const recipients = createRecipientBook(db);
  const saidAt = new Map<Trouble['reason'], number>();

  async function apply(items: readonly HeardItem[], doneWork: readonly string[]): Promise<void> {
    const statuses: HeardStatus[] = [];
    const messages: ReceivedMessage[] = [];
    const callers: Parameters<typeof hearCalls>[1][number][] = [];
    const troubles = new Map<RawWebhookId, { app: string; all: Trouble[] }>();
    const changes: { heard: HeardItem; change: AccountChange }[] = [];
    const trouble = ({ app, webhook }: HeardItem, reason: Trouble['reason'], text: string) => {
      const noted = troubles.get(webhook) ?? { app, all: [] };
      noted.all.push({ reason, text });
      troubles.set(webhook, noted);
    };
    for (const heard of items) {
      const { app, webhook, item } = heard;
      const at = timeOfId(webhook);
      if (item.kind === 'other') continue;
      if (item.kind === 'unreadable') trouble(heard, 'unreadable', `${item.place}: ${item.reason}`);
      else if (item.kind === 'change') {
        const { accountId, field, value } = item;
        changes.push({ heard, change: { app, account_id: accountId, field, value, at } });
      } else if (item.kind === 'error') await tellError(app, item);
      else {
        const route = await routes.find(app, item.phoneNumberId);
        if (!route) trouble(heard, 'no_sender', `${item.place}: no sender has the number ${item.phoneNumberId}`);
        else if (item.kind === 'call') callers.push(callerOf(item, route, at));
        else if (item.kind === 'message') messages.push(receivedMessage(item.message, route, at));
        else statuses.push(heardStatus({ ...item, at: refineSecond(item.at, at) }, route));
      }
    }
    for (const ofWebhook of Map.groupBy(changes, (one) => one.heard.webhook).values()) {
      const left = await applyAccountChanges(ofWebhook.map((one) => one.change));
      for (const text of left) trouble((ofWebhook[0] as { heard: HeardItem }).heard, 'left_out', text);
    }
    for (const [webhook, { app, all }] of troubles) await note(app, webhook, all);
    await learnPhones(statuses);
    if (messages.length > 0) await receive(messages);
    if (callers.length > 0) await hearCalls(db, callers);
    if (statuses.length > 0) await applyStatuses(statuses, messages.length > 0 ? [] : doneWork);
    if (statuses.length === 0 || messages.length > 0) await finishStoredWork(db, doneWork);
  }

  function heardStatus(item: StatusItem, route: Route): HeardStatus {
    return { item, route, mark: item.opaque === null ? null : marker.read(item.opaque) };
  }

  async function tellError(
    app: string,
    { code, title, phoneNumberId }: Extract<WebhookItem, { kind: 'error' }>,
  ): Promise<void> {
    const { tenant_id, sender_id } = (phoneNumberId && (await routes.find(app, phoneNumberId))) || {};
    metrics.providerErrors.add(1, { code: String(code) });
    logger.warn({ code, title, tenant_id, sender_id }, 'the provider tells of an error that is of no message');
    const shut = pauseOf(code);
    if (shut === null || shut.scope === 'country' || tenant_id === undefined || sender_id === undefined) return;
    await openPauses(db, signals, [
      { tenant: tenant_id, sender: sender_id, ...shut, code, title, detail: null, country: null },
    ]);
  }

  /** @returns why each change that was left out was. */
  async function applyAccountChanges(changes: readonly AccountChange[]): Promise<string[]> {
    const left: string[] = [];
    for (const [field, ofField] of Map.groupBy(changes, (change) => change.field)) {
      // Only an own name: a field may be called like anything.
      const applyField = Object.hasOwn(options.applyChanges, field) ? options.applyChanges[field] : undefined;
      if (applyField) left.push(...(await applyField(ofField)));
    }
    return left;
  }

  async function receive(messages: readonly ReceivedMessage[]): Promise<void> {
    const fresh = await receiveMessages(db, signals, messages, rules.slot, options.afterReceive);
    for (const [type, ofType] of Map.groupBy(fresh, (message) => message.type)) {
      metrics.received.add(ofType.length, { type });
    }
  }

  async function applyStatuses(statuses: readonly HeardStatus[], doneWork: readonly string[]): Promise<void> {
    const { receipts, failed, parked } = await identify(statuses);
    if (parked.length > 0) {
      await parkUnknown(db, parked);
      metrics.receiptsIgnored.add(parked.length, { reason: 'parked' });
    }
    const applied = await applyReceipts(db, signals, { receipts, failed, doneWork }, rules);
    // Only now: evidence must never be seen before the receipts that came with it.
    await evidence.write();
    await learnRecipients(statuses);
    if (applied.byReceipt > 0) metrics.doubts.add(applied.byReceipt, { decision: 'receipt' });
    for (const status of ['sent', 'delivered', 'read', 'played'] as const) {
      const count = receipts.filter((receipt) => receipt.status === status).length;
      if (count > 0) metrics.receiptsApplied.add(count, { status });
    }
    if (failed.length > 0) metrics.receiptsApplied.add(failed.length, { status: 'failed' });
  }

  async function learnRecipients(statuses: readonly HeardStatus[]): Promise<void> {
    const known = statuses.flatMap(({ item: { recipient }, route }) =>
      recipient ? [{ tenant: route.tenant_id, sender: route.sender_id, ...recipient }] : [],
    );
    // The next receipt tells it again: those that are applied are not to be held up by it.
    await recipients.learn(known).catch((error: unknown) => logger.warn({ error }, 'learning ids of customers failed'));
  }

  /** Where WhatsApp spells numbers otherwise: before the messages that came with the receipts, which are from those numbers. */
  async function learnPhones(statuses: readonly HeardStatus[]): Promise<void> {
    const sent = statuses.flatMap(({ item: { ownPhone: phone }, route, mark }) =>
      mark && phone !== undefined ? [{ tenant: route.tenant_id, message: mark.message, phone }] : [],
    );
    if (sent.length === 0) return;
    await recipients
      .learnPhones(sent)
      .catch((error: unknown) => logger.warn({ error }, 'learning numbers of customers failed'));
  }

  /** Finds out which message each receipt names: by our own mark, else by the provider's id. */
  async function identify(statuses: readonly HeardStatus[]): Promise<{
    receipts: Receipt[];
    failed: FailedReceipt[];
    parked: ParkedReceipt[];
  }> {
    const receipts: Receipt[] = [];
    const failed: FailedReceipt[] = [];
    const unmarked: HeardStatus[] = [];
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
    for (const status of statuses) {
      const { item, route, mark } = status;
      if (mark) {
        place(item, route, mark.message, mark.attempt);
        evidence.note(route.tenant_id, route.sender_id, mark.startedAt);
      } else unmarked.push(status);
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

  async function note(app: string, webhook: RawWebhookId, troubles: readonly Trouble[]): Promise<void> {
    for (const { reason } of troubles) metrics.webhookItemsKept.add(1, { reason });
    const texts = troubles.map(({ text }) => text);
    // What the note has no room for is told by the count.
    if (texts.length > 1) texts.unshift(`${texts.length} items`);
    for (const reason of new Set(troubles.map((one) => one.reason))) sayKept(reason, app, webhook);
    if (texts.length > 0) await noteTrouble(db, app, webhook, texts.join('; '));
  }

  /** A number that nobody has, say, is told of in every webhook: one line a minute and reason will do, the metric counts. */
  function sayKept(reason: Trouble['reason'], app: string, webhook: RawWebhookId): void {
    const now = performance.now();
    if (now - (saidAt.get(reason) ?? Number.NEGATIVE_INFINITY) < QUIET) return;
    saidAt.set(reason, now);
    logger.warn({ app, raw_webhook_id: webhook, reason }, 'items of a webhook are kept and not applied');
  }

  return {
    apply,
    async applyParked(parked) {
      const [acts, receipts] = [parked.filter(isParkedAct), parked.filter((one) => !isParkedAct(one))];
      // What was parked is our own reading of an item, written by this program.
      const statuses = receipts.map((one) => {
        const { item, route } = one.receipt as { item: StatusItem; route: Route };
        return heardStatus(item, route);
      });
      if (statuses.length > 0) await applyStatuses(statuses, []);
      if (acts.length > 0) await applyParkedActs(db, signals, acts);
    },
    note,
  };
}

/**
 * The provider tells whole seconds. What was heard within that second cannot have happened later than it was heard: that
 * is the better time, and keeps the order that people see. Milliseconds since 1970.
 */
function refineSecond(second: number, heard: number): number {
  return heard >= second && heard < second + 1000 ? heard : second;
}

function callerOf(call: Extract<WebhookItem, { kind: 'call' }>, route: Route, heard: number) {
  const { phone, userId, at } = call;
  return { tenant: route.tenant_id, sender: route.sender_id, phone, userId, at: Math.min(at, heard) };
}

/** Nothing was said later than it was heard: a time in the future would keep a window open for as long. */
function receivedMessage(message: CustomerMessage, route: Route, heard: number): ReceivedMessage {
  const at = Math.min(refineSecond(message.at, heard), heard);
  return { ...message, at, tenant: route.tenant_id, sender: route.sender_id };
}
