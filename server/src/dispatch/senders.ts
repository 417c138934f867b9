import type { ChannelSender } from '../domain/channel.ts';
import type { SenderId } from '../domain/ids.ts';
import type { Ready } from '../domain/schedule/share-room.ts';
import { type TokenBucket, tokenBucket } from '../domain/schedule/token-bucket.ts';
import type { LaneSender } from '../store/lanes.read.ts';

/** What dispatch keeps of the senders in its lanes: credentials, the bucket, and whether there may be work. */
export interface Senders {
  /** Takes over what the database says now. Buckets of senders that stay are kept. */
  replace(rows: readonly LaneSender[], now: number): void;
  get(id: SenderId): ChannelSender | undefined;
  /** There may be work in a lane (undefined: in any). */
  wake(lane?: number): void;
  /** A sender had less due than it might have sent: nothing more for now. */
  rest(id: SenderId): void;
  /** The senders that may have work and whose bucket gives. */
  ready(now: number): Ready[];
  take(id: SenderId, count: number, now: number): void;
  /** The provider said that this sender is too fast. */
  slow(id: SenderId, now: number): void;
  /** Milliseconds until a sender with work may send. Infinity: none has work. */
  nextToken(now: number): number;
}

interface Known {
  row: LaneSender;
  channel: ChannelSender;
  bucket: TokenBucket;
  awake: boolean;
}

/** @param openToken opens a sealed access token. */
export function createSenders(openToken: (row: LaneSender) => string): Senders {
  let known = new Map<SenderId, Known>();
  return {
    replace(rows, now) {
      const next = new Map<SenderId, Known>();
      for (const row of rows) {
        const before = known.get(row.id);
        if (before && before.row.messages_per_second !== row.messages_per_second) {
          before.bucket.setRate(row.messages_per_second);
        }
        const same = before?.row.access_token_sealed.equals(row.access_token_sealed);
        next.set(row.id, {
          row,
          channel:
            before && same
              ? before.channel
              : {
                  tenant_id: row.tenant_id,
                  id: row.id,
                  phone_number_id: row.phone_number_id,
                  access_token: openToken(row),
                },
          bucket: before?.bucket ?? tokenBucket(row.messages_per_second, now),
          awake: before?.awake ?? true,
        });
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
      const ready: Ready[] = [];
      for (const { row, bucket, awake } of known.values()) {
        if (!awake) continue;
        const allowed = bucket.available(now);
        if (allowed > 0) ready.push({ sender: row.id, lane: row.lane_id, allowed });
      }
      return ready;
    },
    take(id, count, now) {
      known.get(id)?.bucket.take(count, now);
    },
    slow(id, now) {
      known.get(id)?.bucket.empty(now);
    },
    nextToken(now) {
      let soonest = Number.POSITIVE_INFINITY;
      for (const { bucket, awake } of known.values()) if (awake) soonest = Math.min(soonest, bucket.wait(now));
      return soonest;
    },
  };
}
