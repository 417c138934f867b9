import type { BegunDelivery, NewDelivery, SettledDelivery } from '../../actions/webhook-deliveries.ts';
import type { WholeEvent } from '../../store/webhook-deliveries.read.ts';
import type { PostingEndpoint } from '../../store/webhook-endpoints.read.ts';

/**
 * Deliveries of a page of the log that are posted before they are stored. The position in the log moves only in the transaction that
 * stores them, so a crash before leaves them to be made, and posted, once more. What has come to its good end by then is stored with
 * that, and is never written again; the others are stored as taken, and settled when they end.
 */
export interface HandedPage {
  readonly deliveries: readonly Handed[];
  /** Whether the page takes what came of a try: it is well, and the page is not closed. Else it is settled after `stored`. */
  takes(delivery: Handed, settled: SettledDelivery): boolean;
  /** A try has ended, well or not. */
  ended(): void;
  /** Resolves when all have ended, or after so many milliseconds. */
  over(ms: number): Promise<void>;
  /** What is to be stored. What ends from here on is not in it. */
  close(now: number): BegunDelivery[];
  /** Tells whether it was stored. */
  settle(stored: boolean): void;
  /** Whether it was stored. Never rejects. */
  readonly stored: Promise<boolean>;
}

/** A delivery that is posted before it is stored. */
export interface Handed {
  delivery: NewDelivery;
  event: WholeEvent;
  endpoint: PostingEndpoint;
}

/** @param heldUntil when another may take what has not ended, by the monotonic clock. */
export function handedPage(deliveries: readonly Handed[], heldUntil: number): HandedPage {
  const well = new Map<NewDelivery, SettledDelivery>();
  let open = deliveries.length;
  let closed = false;
  const all = Promise.withResolvers<void>();
  const { promise: stored, resolve: settle } = Promise.withResolvers<boolean>();
  if (open === 0) all.resolve();

  function begunOf({ delivery }: Handed, left: number): BegunDelivery {
    const { endpoint_id, id, event_xid, event_id, event_type } = delivery;
    const end = well.get(delivery);
    const { started_at, took_ms, status } = end ?? { started_at: null, took_ms: null, status: null };
    const base = { endpoint_id, id, event_xid: event_xid as string, event_id, event_type };
    return { ...base, left: end ? null : left, started_at, took_ms, status };
  }

  return {
    deliveries,
    takes({ delivery }, settled) {
      if (closed || settled.detail !== null) return false;
      well.set(delivery, settled);
      return true;
    },
    ended() {
      if (--open === 0) all.resolve();
    },
    async over(ms) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      });
      await Promise.race([all.promise, late]);
      clearTimeout(timer);
    },
    close(now) {
      closed = true;
      return deliveries.map((one) => begunOf(one, Math.max(0, heldUntil - now)));
    },
    settle,
    stored,
  };
}

/** Parts the deliveries of a page: what may be handed over, as far as each endpoint has room, and what waits in the store. */
export function partPage(
  { events, deliveries, endpoints }: Pick<Parted, 'events' | 'deliveries' | 'endpoints'>,
  roomOf: (endpoint: PostingEndpoint) => number | null,
): { handed: Handed[]; waiting: NewDelivery[] } {
  const places = new Map(endpoints.map((endpoint) => [endpoint.id, { endpoint, room: -1 }]));
  const told = new Map<string, WholeEvent>(events.map((event) => [event.event_id, event]));
  const handed: Handed[] = [];
  const waiting: NewDelivery[] = [];
  for (const delivery of deliveries) {
    const place = places.get(delivery.endpoint_id);
    const event = told.get(delivery.event_id);
    // What stands in a line is let go by the one before it, which only the store knows.
    if (place === undefined || event === undefined || place.endpoint.ordered) {
      waiting.push(delivery);
      continue;
    }
    if (place.room < 0) place.room = roomOf(place.endpoint) ?? 0;
    if (place.room-- > 0) handed.push({ delivery, event, endpoint: place.endpoint });
    else {
      place.room = 0;
      waiting.push(delivery);
    }
  }
  return { handed, waiting };
}

interface Parted {
  events: readonly WholeEvent[];
  deliveries: readonly NewDelivery[];
  endpoints: readonly PostingEndpoint[];
}
