import type { ChannelSender } from '../domain/channel.ts';
import type { SenderId, TenantId } from '../domain/ids.ts';
import { type Pace, type PaceSettings, pacesOf } from '../domain/schedule/pace.ts';
import type { Ready } from '../domain/schedule/share-room.ts';
import { type TokenBucket, tokenBucket } from '../domain/schedule/token-bucket.ts';
import type { LaneSender } from '../store/lanes.read.ts';

/** What dispatch keeps of the senders in its lanes: credentials, the bucket, paces, and whether there may be work. */
export interface Senders {
  /** Takes over what the database says now. Buckets of senders that stay are kept. */
  replace(rows: readonly LaneSender[], now: number): void;
  get(id: SenderId): ChannelSender | undefined;
  /** There may be work in a lane (undefined: in any). */
  wake(lane?: number): void;
  /** A sender had less due than it might have sent: nothing more for now. */
  rest(id: SenderId): void;
  /** The senders that may have work and that nothing holds back, those of webhooks apart. */
  ready(now: number): { numbers: Ready[]; webhooks: Ready[] };
  take(id: SenderId, count: number, now: number): void;
  /** The provider said that this sender is too fast. */
  slow(id: SenderId, now: number): void;
  /** The paces of a sender that keeps any. */
  paces(id: SenderId): { tenant: TenantId; paces: readonly Pace[] } | undefined;
  /** A sender's pace lets nothing leave before this time. */
  pause(id: SenderId, until: number): void;
  /** Calls of a sender began, or (a negative count) came to an end. */
  calling(id: SenderId, count: number): void;
  /** Milliseconds until a sender with work may send. Infinity: none has work, or all wait for a call to end. */
  nextToken(now: number): number;
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
  bucket: TokenBucket;
  paces: readonly Pace[];
  awake: boolean;
  pausedUntil: number;
  calls: number;
}

/** Most calls under way at once to one webhook: a slow one is not to be buried. */
const MOST_WEBHOOK_CALLS = 16;

export function createSenders({ open, pace }: SendersOptions): Senders {
  let known = new Map<SenderId, Known>();

  function room({ channel, calls }: Known): number {
    return channel.channel === 'webhook' ? MOST_WEBHOOK_CALLS - calls : Number.POSITIVE_INFINITY;
  }

  return {
    replace(rows, now) {
      const next = new Map<SenderId, Known>();
      for (const row of rows) {
        const before = known.get(row.id);
        const channel = before && isSame(before.row, row) ? before.channel : open(row);
        if (channel === null) continue;
        const paces = pacesOf(row, pace);
        if (!before) {
          const bucket = tokenBucket(row.messages_per_second, now);
          const pausedUntil = Number.NEGATIVE_INFINITY;
          next.set(row.id, { row, channel, bucket, paces, awake: true, pausedUntil, calls: 0 });
          continue;
        }
        if (before.row.messages_per_second !== row.messages_per_second) before.bucket.setRate(row.messages_per_second);
        // Another pace may let it send earlier, and a tenant that was started again has waited.
        if (!samePaces(before.paces, paces)) before.pausedUntil = Number.NEGATIVE_INFINITY;
        if (row.active && !before.row.active) before.awake = true;
        next.set(row.id, Object.assign(before, { row, channel, paces }));
      }
      known = next;
    },
    get: (id) => known.get(id)?.channel,
    wake(lane) {
      for (const sender of known.values()) if (lane === undefined || sender.row.lane_id === lane) sender.awake = true;
    },
    rest(id) {
      const sender = known.get(id);
      if (sender) sender.awake = false;
    },
    ready(now) {
      const numbers: Ready[] = [];
      const webhooks: Ready[] = [];
      for (const sender of known.values()) {
        const { row, bucket, awake, pausedUntil } = sender;
        if (!awake || !row.active || pausedUntil > now) continue;
        const allowed = Math.min(bucket.available(now), room(sender));
        if (allowed <= 0) continue;
        (row.channel === 'webhook' ? webhooks : numbers).push({ sender: row.id, lane: row.lane_id, allowed });
      }
      return { numbers, webhooks };
    },
    take(id, count, now) {
      known.get(id)?.bucket.take(count, now);
    },
    slow(id, now) {
      known.get(id)?.bucket.empty(now);
    },
    paces(id) {
      const sender = known.get(id);
      return sender && sender.paces.length > 0 ? { tenant: sender.row.tenant_id, paces: sender.paces } : undefined;
    },
    pause(id, until) {
      const sender = known.get(id);
      if (sender) sender.pausedUntil = until;
    },
    calling(id, count) {
      const sender = known.get(id);
      if (sender) sender.calls += count;
    },
    nextToken(now) {
      let soonest = Number.POSITIVE_INFINITY;
      for (const sender of known.values()) {
        const { row, bucket, awake, pausedUntil } = sender;
        if (!awake || !row.active || room(sender) <= 0) continue;
        soonest = Math.min(soonest, Math.max(bucket.wait(now), pausedUntil - now));
      }
      return soonest;
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

function samePaces(some: readonly Pace[], others: readonly Pace[]): boolean {
  return (
    some.length === others.length &&
    some.every(
      (pace, i) => pace.kind === others[i]?.kind && pace.most === others[i].most && pace.span === others[i].span,
    )
  );
}
