import { type Direction, STATUSES, type State, type Status, statusOf } from './message.ts';

/** How many messages of one direction and type are in one state of the message's own row. */
export interface StateCount {
  direction: Direction;
  type: string;
  state: State;
  n: number;
}

export interface Statistics {
  /** Messages in both directions. */
  total: number;
  /** Every word is there, zero too. */
  by_status: Record<Status, number>;
  by_direction: Record<Direction, number>;
  /** Types that there are messages of. */
  by_type: Record<string, number>;
  /** From 0 to 1, to four digits; null: of none. */
  delivery_rate: number | null;
  read_rate: number | null;
}

/**
 * Adds up counts by the documented words.
 *
 * Rates are of outbound messages. Delivery: delivered, read and played, of these and sent and failed. Read: read and played, of
 * delivered, read and played. What was cancelled or expired never left: it tells nothing of either.
 */
export function statisticsOf(counts: readonly StateCount[]): Statistics {
  const by_status = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>;
  const by_direction: Record<Direction, number> = { inbound: 0, outbound: 0 };
  const by_type = new Map<string, number>();
  const out = { left: 0, arrived: 0, read: 0 };
  let total = 0;
  for (const { direction, type, state, n } of counts) {
    total += n;
    by_status[statusOf(state)] += n;
    by_direction[direction] += n;
    by_type.set(type, (by_type.get(type) ?? 0) + n);
    if (direction === 'inbound') continue;
    const read = state === 'read' || state === 'played';
    const arrived = read || state === 'delivered';
    if (arrived || state === 'sent' || state === 'failed') out.left += n;
    if (arrived) out.arrived += n;
    if (read) out.read += n;
  }
  for (const [type, n] of by_type) if (n === 0) by_type.delete(type);
  return {
    total,
    by_status,
    by_direction,
    by_type: Object.fromEntries(by_type),
    delivery_rate: rate(out.arrived, out.left),
    read_rate: rate(out.read, out.arrived),
  };
}

function rate(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 10_000) / 10_000;
}
