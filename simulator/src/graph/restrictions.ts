import type { Limit } from '../faults/plan.ts';
import type { BusinessNumber } from '../numbers.ts';
import type { Simulation } from '../simulation.ts';
import { dailyUsers } from '../webhooks/account-news.ts';
import type { Message } from './message.ts';

/** What stands in the way of a good message: a refusal at once, a failure by webhook, or silence. */
export interface Restriction {
  refusal?: number;
  failure?: number;
  silence: boolean;
}

const NONE: Restriction = { silence: false };

/**
 * Holds a message against what was said of its customer, and against those limits that the settings or the rules enforce.
 * The window is answered as Meta answers it: accepted, and *failed* with 131047. For the messaging limit Meta documents no
 * code; 131048 is the nearest.
 */
export function restrict(simulation: Simulation, number: BusinessNumber, message: Message): Restriction {
  const { settings, rules, limits, blocked, customers, clock, daily } = simulation;
  const { enforce } = settings;
  const { phone_number_id: id, throughput } = number;
  const user = message.waId ?? message.to;
  if (blocked.has(id, user)) return { refusal: 130403, silence: false };
  let counted: readonly Limit[] = rules.limits(id);
  if (enforce.throughput) counted = [...counted, { kind: 'throughput' }];
  if (enforce.pair_rate) counted = [...counted, { kind: 'pair_rate' }];
  if (counted.length > 0) {
    const refusal = limits.pass(counted, { id, throughput }, user, clock.monotonic());
    if (refusal !== undefined) return { refusal, silence: false };
  }
  const names = message.waId === undefined ? { user_id: message.to } : { wa_id: message.waId };
  const marketing = message.category === 'marketing';
  if (marketing && customers.hasStopped(id, names)) return { failure: 131050, silence: false };
  if (enforce.window || enforce.messaging_limit) {
    const now = clock.now();
    const open = customers.windowIsOpen(id, names, now);
    if (!open && enforce.window && message.type !== 'template') return { failure: 131047, silence: false };
    const most = dailyUsers(number);
    if (!open && enforce.messaging_limit && most >= 0 && !daily.reach(number.portfolio_id, user, now, most)) {
      return { refusal: 131048, silence: false };
    }
  }
  if (marketing && enforce.marketing_cap && !daily.market(user, clock.now()))
    return { failure: 131049, silence: false };
  return customers.isBlocking(id, names) ? { silence: true } : NONE;
}
