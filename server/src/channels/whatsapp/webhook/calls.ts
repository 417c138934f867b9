import { isRecord } from '../answer.ts';
import type { WebhookItem } from './items.ts';
import type { Profiles } from './profiles.ts';
import { phoneOf, timeOf, userIdOf } from './values.ts';

/**
 * Reads one of `calls[]` (Meta: calling/user-initiated-calls). A call of the customer's opens the window as a message does; what
 * else is told of calls is kept raw.
 */
export function readCall(phoneNumberId: string, item: unknown, profiles: Profiles, place: string): WebhookItem {
  if (!isRecord(item)) return { kind: 'unreadable', place, reason: 'a call that is no object' };
  if (item['event'] !== 'connect' || item['direction'] !== 'USER_INITIATED')
    return { kind: 'other', place, field: 'calls' };
  const at = timeOf(item['timestamp']);
  const phone = phoneOf(item['from']);
  const known = profiles.of(item['from'], item['from_user_id']);
  const userId = userIdOf(item['from_user_id']) ?? userIdOf(known?.['user_id']);
  if (at === null || (phone === null && userId === null)) {
    return { kind: 'unreadable', place, reason: 'a call without time or caller' };
  }
  return { kind: 'call', place, phoneNumberId, phone, userId, at };
}
