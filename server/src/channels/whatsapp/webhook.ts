import type { ReceiptStatus } from '../../domain/receipt.ts';
import { RECEIPT_STATUSES } from '../../domain/receipt.ts';
import { isCode, isRecord } from './answer.ts';

/**
 * Reads a webhook of the Cloud API: every entry, every change, every item, whatever their order and number. An item that
 * cannot be read is given as such, so that the others of its webhook are still applied.
 */
export type WebhookItem =
  | {
      kind: 'status';
      phoneNumberId: string;
      wamid: string;
      status: ReceiptStatus;
      /** Milliseconds since 1970; Meta gives whole seconds. */
      at: number;
      opaque: string | null;
      error: { code: number; title: string; detail: string | null } | null;
      raw: Record<string, unknown>;
    }
  | {
      kind: 'message';
      phoneNumberId: string;
      wamid: string;
      type: string;
      at: number;
      /** E.164 with `+`; null for a customer who shows no number. */
      phone: string | null;
      /** Business-scoped user id. */
      userId: string | null;
      name: string | null;
      replyTo: string | null;
      raw: Record<string, unknown>;
    }
  /** Something else of the account's: templates, quality, alerts. Kept raw. */
  | { kind: 'other'; field: string }
  | { kind: 'unreadable'; reason: string };

/** All items of one webhook, in its order. Never throws. */
export function readWebhook(body: Buffer): WebhookItem[] {
  let root: unknown;
  try {
    root = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return [unreadable(`not JSON: ${error instanceof Error ? error.message : String(error)}`)];
  }
  const entries = isRecord(root) ? root['entry'] : undefined;
  if (!Array.isArray(entries)) return [unreadable('no entry')];
  const items: WebhookItem[] = [];
  for (const entry of entries) {
    const changes = isRecord(entry) ? entry['changes'] : undefined;
    if (!Array.isArray(changes)) {
      items.push(unreadable('an entry without changes'));
      continue;
    }
    for (const change of changes) readChange(change, items);
  }
  return items;
}

function readChange(change: unknown, items: WebhookItem[]): void {
  const value = isRecord(change) ? change['value'] : undefined;
  const field = isRecord(change) ? change['field'] : undefined;
  if (!isRecord(value) || typeof field !== 'string') {
    items.push(unreadable('a change without field and value'));
    return;
  }
  if (field !== 'messages') {
    items.push({ kind: 'other', field: field.slice(0, 100) });
    return;
  }
  const metadata = value['metadata'];
  const phoneNumberId = isRecord(metadata) ? string(metadata['phone_number_id']) : null;
  if (phoneNumberId === null) {
    // Errors of the account itself come without a number.
    items.push(Array.isArray(value['errors']) ? { kind: 'other', field: 'errors' } : unreadable('no phone_number_id'));
    return;
  }
  for (const status of list(value['statuses'])) items.push(readStatus(phoneNumberId, status));
  const contacts = list(value['contacts']).filter(isRecord);
  for (const message of list(value['messages'])) items.push(readMessage(phoneNumberId, message, contacts));
}

function readStatus(phoneNumberId: string, item: unknown): WebhookItem {
  if (!isRecord(item)) return unreadable('a status that is no object');
  const wamid = string(item['id']);
  const status = RECEIPT_STATUSES.find((known) => known === item['status']);
  const at = time(item['timestamp']);
  if (wamid === null || at === null) return unreadable('a status without id or timestamp');
  if (!status) return { kind: 'other', field: `status ${String(item['status']).slice(0, 50)}` };
  const [first] = list(item['errors']).filter(isRecord);
  return {
    kind: 'status',
    phoneNumberId,
    wamid,
    status,
    at,
    opaque: string(item['biz_opaque_callback_data']),
    error: status === 'failed' ? readError(first) : null,
    raw: item,
  };
}

function readError(error: Record<string, unknown> | undefined): { code: number; title: string; detail: string | null } {
  const data = error?.['error_data'];
  return {
    code: isCode(error?.['code']) ? error['code'] : 131000,
    title: (string(error?.['title']) ?? string(error?.['message']) ?? 'failed').slice(0, 300),
    detail: isRecord(data) ? (string(data['details'])?.slice(0, 1000) ?? null) : null,
  };
}

function readMessage(phoneNumberId: string, item: unknown, contacts: readonly Record<string, unknown>[]): WebhookItem {
  if (!isRecord(item)) return unreadable('a message that is no object');
  const wamid = string(item['id']);
  const at = time(item['timestamp']);
  const from = string(item['from']);
  const userId = string(item['from_user_id']);
  if (wamid === null || at === null) return unreadable('a message without id or timestamp');
  const phone = from !== null && /^\+?[1-9]\d{6,14}$/.test(from) ? `+${from.replace('+', '')}` : null;
  if (phone === null && userId === null) return unreadable('a message from nobody');
  const contact =
    contacts.find((c) => (from !== null && c['wa_id'] === from) || (userId !== null && c['user_id'] === userId)) ??
    (contacts.length === 1 ? contacts[0] : undefined);
  const profile = contact?.['profile'];
  const context = item['context'];
  return {
    kind: 'message',
    phoneNumberId,
    wamid,
    type: (string(item['type']) ?? 'unknown').slice(0, 50),
    at,
    phone,
    userId,
    name: isRecord(profile) ? (string(profile['name'])?.slice(0, 200) ?? null) : null,
    replyTo: isRecord(context) ? string(context['id']) : null,
    raw: item,
  };
}

function time(value: unknown): number | null {
  const seconds = typeof value === 'string' && /^\d{1,11}$/.test(value) ? Number(value) : value;
  return typeof seconds === 'number' && seconds > 0 && seconds < 1e11 ? Math.floor(seconds) * 1000 : null;
}

/** A string the database can hold: not empty, not huge, without NUL. */
function string(value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= 1024 && !value.includes('\0') ? value : null;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function unreadable(reason: string): WebhookItem {
  return { kind: 'unreadable', reason };
}
