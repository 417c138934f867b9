import type { ChannelSender } from '../domain/channel.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import { type Pace, type PaceSettings, pacesOf } from '../domain/schedule/pace.ts';
import type { ScheduledSender } from '../domain/schedule/schedule.ts';
import type { LaneSender } from '../store/lanes.read.ts';

/** What dispatch keeps of the senders in its lanes beside their schedule: where their calls go, with what secret, and their paces. */
export interface Senders {
  /** Takes over what the database says now, and gives it as the schedule takes it. @param now milliseconds, monotonic */
  replace(rows: readonly LaneSender[], now: number): ScheduledSender[];
  get(id: SenderId): ChannelSender | undefined;
  /** The paces of a sender that keeps any. */
  paces(id: SenderId): { tenant: TenantId; paces: readonly Pace[] } | undefined;
}

export interface SendersOptions {
  /**
   * Makes of a row what its channel needs, its secret opened. null: it cannot be opened, which its owner was told; the
   * sender is left out.
   */
  open: (row: LaneSender) => ChannelSender | null;
  /** For senders without paces of their own. */
  pace: PaceSettings;
}

interface Known {
  row: LaneSender;
  channel: ChannelSender;
  paces: readonly Pace[];
  /** Messages a second that came in of late. */
  inbound: number;
  countedAt: number;
}

/** What comes in is measured over at least so long. Milliseconds. */
const LEAST_SPAN = 1000;

export function createSenders({ open, pace }: SendersOptions): Senders {
  let known = new Map<SenderId, Known>();

  function inboundOf(row: LaneSender, before: Known | undefined, now: number): Pick<Known, 'inbound' | 'countedAt'> {
    if (!before) return { inbound: 0, countedAt: now };
    const span = now - before.countedAt;
    if (span < LEAST_SPAN) return before;
    return { inbound: Math.max(0, (row.received - before.row.received) * 1000) / span, countedAt: now };
  }

  return {
    replace(rows, now) {
      const next = new Map<SenderId, Known>();
      for (const row of rows) {
        const before = known.get(row.id);
        const channel = before && isSame(before.row, row) ? before.channel : open(row);
        if (channel === null) continue;
        const { inbound, countedAt } = inboundOf(row, before, now);
        // Measured anew only when enough time has passed since the count that is kept.
        const counted = before && countedAt === before.countedAt ? { ...row, received: before.row.received } : row;
        next.set(row.id, { row: counted, channel, paces: pacesOf(row, pace), inbound, countedAt });
      }
      known = next;
      return [...known.values()].map(({ row, inbound, paces }) => ({
        id: row.id,
        tenant: row.tenant_id,
        lane: row.lane_id,
        channel: row.channel,
        rate: row.messages_per_second,
        inbound,
        active: row.active,
        pace: paces.map(({ kind, most, span }) => `${kind} ${most} ${span}`).join(),
      }));
    },
    get: (id) => known.get(id)?.channel,
    paces(id) {
      const sender = known.get(id);
      return sender && sender.paces.length > 0 ? { tenant: sender.row.tenant_id, paces: sender.paces } : undefined;
    },
  };
}

/** Whether two rows lead to the same place with the same secret. */
function isSame(one: LaneSender, other: LaneSender): boolean {
  if (one.channel === 'whatsapp' && other.channel === 'whatsapp') {
    return one.phone_number_id === other.phone_number_id && one.access_token_sealed.equals(other.access_token_sealed);
  }
  if (one.channel !== 'webhook' || other.channel !== 'webhook') return false;
  const key = one.webhook_key_sealed;
  const otherKey = other.webhook_key_sealed;
  const sameKey = key === null || otherKey === null ? key === otherKey : key.equals(otherKey);
  return sameKey && one.webhook_url === other.webhook_url && one.webhook_header === other.webhook_header;
}
