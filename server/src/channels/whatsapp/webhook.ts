import { isRecord } from './answer.ts';
import { readCall } from './webhook/calls.ts';
import { readErrors } from './webhook/errors.ts';
import type { WebhookItem } from './webhook/items.ts';
import { readMessage } from './webhook/messages.ts';
import { readProfiles } from './webhook/profiles.ts';
import { readStatus } from './webhook/statuses.ts';
import { idOf, listOf, textOf } from './webhook/values.ts';

/**
 * Reads a webhook of the Cloud API (Meta: webhooks/overview): every entry, every change, every item, whatever their order and
 * number. An item that cannot be read is given as such, with its place, so that the others of its webhook are still applied.
 * Never throws.
 */
export function readWebhook(body: Buffer): WebhookItem[] {
  let root: unknown;
  try {
    root = parse(body.toString('utf8'));
  } catch (error) {
    return [unreadable('', `not JSON: ${error instanceof Error ? error.message : String(error)}`)];
  }
  const entries = isRecord(root) ? root['entry'] : undefined;
  if (!Array.isArray(entries)) return [unreadable('', 'no entry')];
  const items: WebhookItem[] = [];
  entries.forEach((entry: unknown, i) => {
    const place = `entry[${i}]`;
    const changes = isRecord(entry) ? entry['changes'] : undefined;
    if (!isRecord(entry) || !Array.isArray(changes)) {
      items.push(unreadable(place, 'an entry without changes'));
      return;
    }
    const accountId = idOf(entry['id']) ?? '';
    changes.forEach((change: unknown, k) => {
      readChange(accountId, change, `${place}.changes[${k}]`, items);
    });
  });
  return items;
}

/** Some ids are numbers, of templates for one, and may be longer than a number is exact: those stay as they are written. */
function parse(text: string): unknown {
  if (!/[:[,]\s*-?\d{16,}/.test(text)) return JSON.parse(text);
  try {
    return JSON.parse(text, exact);
  } catch (error) {
    // Too deep to be looked through: read without looking.
    if (error instanceof RangeError) return JSON.parse(text);
    throw error;
  }
}

function exact(_key: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^\d+$/.test(source) ? source : value;
}

/** The fields whose items are read here; those of all others are of the account. */
const FIELDS: ReadonlySet<string> = new Set(['messages', 'smb_message_echoes', 'calls']);

function readChange(accountId: string, change: unknown, place: string, items: WebhookItem[]): void {
  const value = isRecord(change) ? change['value'] : undefined;
  const field = isRecord(change) ? change['field'] : undefined;
  if (!isRecord(value) || typeof field !== 'string') {
    items.push(unreadable(place, 'a change without field and value'));
    return;
  }
  if (!FIELDS.has(field)) {
    items.push({ kind: 'change', place, accountId, field: textOf(field, 100) ?? '', value });
    return;
  }
  const metadata = value['metadata'];
  const phoneNumberId = isRecord(metadata) ? idOf(metadata['phone_number_id']) : null;
  // Of the account or the number itself: no message is meant.
  const errors = readErrors(value['errors']);
  for (const { code, title } of errors) items.push({ kind: 'error', place, phoneNumberId, code, title });
  if (phoneNumberId === null) {
    if (errors.length === 0) items.push(unreadable(place, 'no phone_number_id'));
    return;
  }
  const profiles = readProfiles(value['contacts']);
  listOf(value['statuses']).forEach((status, i) => {
    items.push(readStatus(phoneNumberId, status, profiles, `${place}.statuses[${i}]`));
  });
  listOf(value['messages']).forEach((message, i) => {
    items.push(readMessage(phoneNumberId, message, profiles, `${place}.messages[${i}]`, false));
  });
  listOf(value['message_echoes']).forEach((echo, i) => {
    items.push(readMessage(phoneNumberId, echo, profiles, `${place}.message_echoes[${i}]`, true));
  });
  listOf(value['calls']).forEach((call, i) => {
    items.push(readCall(phoneNumberId, call, profiles, `${place}.calls[${i}]`));
  });
}

function unreadable(place: string, reason: string): WebhookItem {
  return { kind: 'unreadable', place, reason };
}
