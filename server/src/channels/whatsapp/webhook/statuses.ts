import { mayBeSpeltOtherwise } from '../../../domain/phone.ts';
import { RECEIPT_STATUSES } from '../../../domain/receipt.ts';
import { isRecord } from '../answer.ts';
import { readError } from './errors.ts';
import type { WebhookItem } from './items.ts';
import type { Profiles } from './profiles.ts';
import { idOf, listOf, phoneOf, textOf, timeOf, userIdOf } from './values.ts';

/** Reads one of `statuses[]` (Meta: webhooks/reference/messages/status). */
export function readStatus(phoneNumberId: string, item: unknown, profiles: Profiles, place: string): WebhookItem {
  if (!isRecord(item)) return { kind: 'unreadable', place, reason: 'a status that is no object' };
  const wamid = idOf(item['id']);
  const status = RECEIPT_STATUSES.find((known) => known === item['status']);
  const at = timeOf(item['timestamp']);
  if (wamid === null || at === null) {
    return { kind: 'unreadable', place, reason: 'a status without id or timestamp' };
  }
  if (!status) return { kind: 'other', place, field: `status ${String(item['status']).slice(0, 50)}` };
  const [first] = listOf(item['errors']).filter(isRecord);
  const phone = phoneOf(item['recipient_id']);
  return {
    kind: 'status',
    place,
    phoneNumberId,
    wamid,
    status,
    at,
    opaque: textOf(item['biz_opaque_callback_data'], 1024),
    error: status === 'failed' ? readError(first) : null,
    recipient: recipientOf(item, phone, profiles),
    ...(phone !== null && mayBeSpeltOtherwise(phone) && { ownPhone: phone }),
  };
}

function recipientOf(
  item: Record<string, unknown>,
  phone: string | null,
  profiles: Profiles,
): { phone: string; userId: string } | null {
  const known = profiles.of(item['recipient_id'], item['recipient_user_id']);
  const userId = userIdOf(item['recipient_user_id']) ?? userIdOf(known?.['user_id']);
  return phone !== null && userId !== null ? { phone, userId } : null;
}
