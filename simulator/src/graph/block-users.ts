import { isList, isObject, type JsonObject } from '../json.ts';
import type { BusinessNumber } from '../numbers.ts';
import { json, type Reply } from '../reply.ts';
import type { Simulation } from '../simulation.ts';
import { graphError } from './errors.ts';
import { listPage } from './paging.ts';

const MOST_AT_ONCE = 1000;

/** GET /{phone_number_id}/block_users, in pages. */
export function listBlocked(
  simulation: Simulation,
  number: BusinessNumber,
  query: URLSearchParams,
  url: string,
): Reply {
  const users = simulation.blocked.of(number.phone_number_id);
  return listPage(users, query, url, (user) => ({
    fields: { messaging_product: 'whatsapp', [isUserId(user) ? 'user_id' : 'wa_id']: user },
  }));
}

/**
 * POST and DELETE /{phone_number_id}/block_users (.../block-users, 2026): a user can be blocked who wrote within the last 24
 * hours, which is looked at only when the window is enforced. Some may fail while others do not.
 */
export function changeBlocked(simulation: Simulation, number: BusinessNumber, body: unknown, block: boolean): Reply {
  const list = isObject(body) ? body.block_users : undefined;
  if (!isObject(body) || body.messaging_product !== 'whatsapp') {
    return graphError('(#100) The parameter messaging_product is required.');
  }
  if (!isList(list) || list.length === 0) return graphError('(#100) The parameter block_users is required.');
  if (list.length > MOST_AT_ONCE)
    return graphError(`(#100) Param block_users must have at most ${MOST_AT_ONCE} items.`);
  const done: JsonObject[] = [];
  const failed: JsonObject[] = [];
  for (const item of list) {
    const { user, user_id: userId } = isObject(item) ? item : {};
    const input = typeof user === 'string' ? user : typeof userId === 'string' ? userId : '';
    const key = isUserId(input) ? input : input.replace(/\D/g, '');
    const named = { input, ...(isUserId(key) ? { user_id: key } : { wa_id: key }) };
    if (!isUserId(key) && !/^\d{5,15}$/.test(key)) {
      failed.push({ input, errors: [problem(131009, 'Parameter value is not valid', 'The user is not valid')] });
    } else if (block && !mayBlock(simulation, number, key)) {
      const details = 'User has not messaged in the last 24 hours';
      failed.push({ ...named, errors: [problem(131047, 'Re-engagement required', details)] });
    } else if (block && !simulation.blocked.add(number.phone_number_id, key)) {
      failed.push({ ...named, errors: [problem(139101, 'Blocklist limit reached', 'The blocklist is full')] });
    } else {
      if (!block) simulation.blocked.remove(number.phone_number_id, key);
      done.push(named);
    }
  }
  const result = {
    messaging_product: 'whatsapp',
    block_users: {
      ...(done.length === 0 ? {} : { [block ? 'added_users' : 'removed_users']: done }),
      ...(failed.length === 0 ? {} : { failed_users: failed }),
    },
  };
  if (failed.length === 0) return json(result);
  const error = {
    message: '(#139100) Failed to block/unblock users',
    type: 'OAuthException',
    code: 139100,
    error_data: { details: 'Failed to block some users, see the block_users response list for details' },
    fbtrace_id: 'Asimulated',
  };
  return json({ ...result, error }, 400);
}

function mayBlock({ settings, customers, clock }: Simulation, number: BusinessNumber, key: string): boolean {
  if (!settings.enforce.window) return true;
  const names = isUserId(key) ? { user_id: key } : { wa_id: key };
  return customers.windowIsOpen(number.phone_number_id, names, clock.now());
}

function problem(code: number, message: string, details: string): JsonObject {
  return { message, code, error_data: { details } };
}

function isUserId(text: string): boolean {
  return /^[A-Z]{2}\./.test(text);
}
