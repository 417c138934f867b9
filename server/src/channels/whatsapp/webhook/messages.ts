import type { CustomerMessage } from '../../../domain/inbound-message.ts';
import { isRecord } from '../answer.ts';
import { readContent } from './content.ts';
import type { WebhookItem } from './items.ts';
import type { Profiles } from './profiles.ts';
import { idOf, phoneOf, recordOf, textOf, timeOf, userIdOf } from './values.ts';

/** Hours for which a customer who comes from an ad or a post may be answered freely. */
const AD_HOURS = 72;

/**
 * Reads one of `messages[]`, or of `message_echoes[]`: what the business wrote in the WhatsApp Business app (Meta:
 * webhooks/reference/messages and /smb_message_echoes).
 */
export function readMessage(
  phoneNumberId: string,
  item: unknown,
  profiles: Profiles,
  place: string,
  outbound: boolean,
): WebhookItem {
  if (!isRecord(item)) return { kind: 'unreadable', place, reason: 'a message that is no object' };
  const wamid = idOf(item['id']);
  const at = timeOf(item['timestamp']);
  if (wamid === null || at === null) {
    return { kind: 'unreadable', place, reason: 'a message without id or timestamp' };
  }
  const { renamed, type, content, act, mediaId } = readContent(item);
  const [waId, id] = outbound ? [item['to'], item['to_user_id']] : [item['from'], item['from_user_id']];
  const known = profiles.of(waId, id);
  const phone = renamed ? renamed.now.phone : phoneOf(waId);
  const userId = renamed ? renamed.now.userId : (userIdOf(id) ?? userIdOf(known?.['user_id']));
  if (phone === null && userId === null) {
    return { kind: 'unreadable', place, reason: outbound ? 'a message to nobody' : 'a message from nobody' };
  }
  const profile = recordOf((known ?? profiles.only)?.['profile']);
  const parentUserId = renamed
    ? renamed.now.parentUserId
    : (userIdOf(item['from_parent_user_id']) ?? userIdOf(known?.['parent_user_id']));
  const message: CustomerMessage = {
    wamid,
    type,
    at,
    phone,
    userId,
    name: outbound ? null : textOf(profile?.['name'], 200),
    content,
    replyTo: idOf(recordOf(item['context'])?.['id']),
    username: outbound ? null : textOf(profile?.['username'], 100),
    parentUserId,
    mediaId: mediaId ?? null,
    act: act ?? null,
    formerly: renamed ? renamed.before : null,
    windowHours: outbound ? 0 : windowHours(type, item),
    outbound,
  };
  return { kind: 'message', phoneNumberId, place, message };
}

/** Only what a customer says to the business alone opens the window: no news about him, and nothing in a group. */
function windowHours(type: string, item: Record<string, unknown>): number {
  if (type === 'system' || type === 'edit' || type === 'revoke' || item['group_id'] !== undefined) return 0;
  const source = recordOf(item['referral'])?.['source_type'];
  return source === 'ad' || source === 'post' ? AD_HOURS : 24;
}
