import type { Queryable } from '../db/pool.ts';
import type { MessageId, SenderId, TenantId } from '../domain/ids.ts';
import { type Caps, HELD, type LimitPeriod, type LimitReached, limitError, windowEnd } from '../domain/limits.ts';
import type { NewMessage } from '../domain/message.ts';
import { foldChanges, holdLimits, holdLimitsOfMessage, type Limit, type LimitUse } from '../store/limits.write.ts';

/**
 * What is left of the limits of some messages, held for one transaction: nobody else takes a place meanwhile, so that what is
 * taken here fits exactly. A transaction that is rolled back, or killed, has taken nothing.
 */
export interface LimitRoom {
  /** Takes a place for a message: what it is to hold (`messages.reserved`; null: nothing), or the limit without room. */
  take(tenant: TenantId, message: NewMessage): LimitReached | number | null;
  /** What was taken since this was last asked, by window: `used` is how many places. */
  taken(): LimitUse[];
}

interface Window {
  period: LimitPeriod;
  use: LimitUse;
  most: number;
  taken: number;
}

const MOST_CHANGES = 20_000;
/** What a client is told when a limit of a period has no room. */
export const REACHED = { month: 'quota_exceeded', day: 'daily_limit_reached' } as const;

/** Whether any limit counts these messages. */
export function isLimited(message: NewMessage): boolean {
  return message.caps != null;
}

/**
 * Holds what these messages may need.
 * @param tx a read committed transaction: it has to see what those left for whom it waited.
 */
export async function openLimitRoom(
  tx: Queryable,
  asked: Iterable<{ tenant: TenantId; message: NewMessage }>,
): Promise<LimitRoom> {
  const limits = new Map<string, Limit>();
  for (const { tenant, message } of asked)
    for (const limit of limitsOf(tenant, message)) limits.set(limit.scope, limit);
  const windows = new Map<string, Window>();
  if (limits.size > 0) {
    const held = await holdLimits(tx, [...limits.values()]);
    for (const use of held) {
      const limit = limits.get(use.scope_id) as Limit;
      windows.set(use.scope_id, { period: limit.period, use, most: limit.most, taken: 0 });
    }
    for (const changed of await foldChanges(tx, held, MOST_CHANGES)) {
      (windows.get(changed.scope_id) as Window).use = changed;
    }
  }
  return {
    take(tenant, message) {
      const needed = limitsOf(tenant, message).map(({ scope }) => windows.get(scope) as Window);
      const full = needed.find(({ use, most }) => use.used >= most);
      if (full) return { code: REACHED[full.period], resets_at: windowEnd(full.period, full.use.starts_at) };
      let held = 0;
      for (const window of needed) {
        window.use.used++;
        window.taken++;
        held |= HELD[window.period];
      }
      return held === 0 ? null : held;
    },
    taken() {
      const taken = [...windows.values()].filter((window) => window.taken > 0);
      return taken.map((window) => {
        const use = { ...window.use, used: window.taken };
        window.taken = 0;
        return use;
      });
    },
  };
}

/**
 * After a message became due again: whether the places that it took by that, in the same transaction, were there.
 * @throws {AldisError} when they were not.
 */
export async function takePlacesAgain(tx: Queryable, tenant: TenantId, id: MessageId, usual: Caps): Promise<void> {
  const held = await holdLimitsOfMessage(tx, tenant, id);
  if (held.length === 0) return;
  const changed = new Map(
    (await foldChanges(tx, held, Number.MAX_SAFE_INTEGER)).map((use) => [use.scope_id, use.used]),
  );
  for (const { scope_id, period, starts_at, used, most: own } of held) {
    const most = own ?? (period === 'month' ? usual.monthly : usual.daily);
    if (most === null || (changed.get(scope_id) ?? used) <= most) continue;
    throw limitError({ code: REACHED[period], resets_at: windowEnd(period, starts_at) }, Date.now());
  }
}

function limitsOf(tenant: TenantId, { sender_id, caps }: NewMessage): Limit[] {
  if (caps == null) return [];
  const limits: Limit[] = [];
  const add = (scope: TenantId | SenderId, period: LimitPeriod, most: number | null) => {
    if (most !== null) limits.push({ tenant, scope, period, most });
  };
  add(tenant, 'month', caps.monthly);
  add(sender_id, 'day', caps.daily);
  return limits;
}
