import type { DeferralCause } from '../causes.ts';
import type { ConversationId, MessageId, SenderId, TenantId } from '../ids.ts';
import type { Category, Priority } from '../message.ts';
import type { ChannelName } from '../sender.ts';
import { createOrder, type Placed, type Turn } from './order.ts';
import { createPairRate, PAIR_LIMIT } from './pair-rate.ts';
import { type ByPriority, createPriorities, type Priorities } from './priorities.ts';
import { createSenderRate, type SenderRate } from './sender-rate.ts';
import { type Ready, type Share, shareRoom } from './share-room.ts';

/**
 * Who may send what next: a function of the clock and of what it is told, without any I/O, so that dispatch and a simulation run the
 * same code. A round has two halves. `ask` says of whom how many due messages are to be read; `select` says of those that were found
 * which go now, which are put off until when and why, and which simply wait for one that is under way.
 *
 * It knows the room for calls, every sender's rate, the priorities, the pairs' rate, and the order. Pauses and whatever else holds a
 * sender or a message back come in by `gate` and `holds`. What has to be counted durably (paces, the users a portfolio reaches) is counted
 * where the attempts are recorded.
 *
 * Times are milliseconds of a monotonic clock, except where they are called `wall`.
 */
export interface ScheduleOptions {
  /** Most calls under way at once, and of these of one sender and of one tenant. */
  room: number;
  senderRoom: number;
  tenantRoom: number;
  /** Milliseconds from when it may leave in which a message may be sent. */
  validity: number;
  /** How many messages pauses let a sender begin now: Infinity, 1 for a probe, 0. */
  gate: (sender: SenderId, now: number) => number;
  /** Until when they let it begin none. Infinity: until something changes. */
  gateOpens: (sender: SenderId) => number;
  /** What else may put a message off. Asked in order. */
  holds: readonly Hold[];
}

/** @param wall milliseconds since 1970, by the database's clock. */
export type Hold = (candidate: Candidate, wall: number) => Deferral | null;

/** Not before `delay` ms from now. */
export interface Deferral {
  delay: number;
  cause: DeferralCause;
}

/** A message that is due, as far as its selection needs it. */
export interface Candidate extends Placed {
  tenant_id: TenantId;
  sender_id: SenderId;
  message_id: MessageId;
  conversation_id: ConversationId;
  lane_id: number;
  category: Category;
  /** The customer's number or business-scoped user id. */
  address: string;
  /** Until when it may be sent; null: as long as the validity says. */
  expires_at: Date | null;
}

export interface ScheduledSender {
  id: SenderId;
  tenant: TenantId;
  lane: number;
  channel: ChannelName;
  /** Messages a second, in and out. */
  rate: number;
  /** Of these, those that come in. */
  inbound: number;
  /** Whether it sends: it is enabled, and its tenant is not stopped. */
  active: boolean;
  /** Its paces in a word. With others it may send earlier. */
  pace: string;
}

/** How many due messages of a sender are to be read, by priority. Of these at most `room` go. */
export interface Ask extends Share {
  limits: ByPriority;
}

export interface Selection<C extends Candidate> {
  go: C[];
  putOff: (Deferral & { candidate: C })[];
  /** Too old to be sent. */
  stale: C[];
}

export interface Schedule {
  /** Takes over the senders there are now. What is known of those that stay is kept. */
  replace(senders: readonly ScheduledSender[], now: number): void;
  /** There may be work in a lane (undefined: in any). */
  wake(lane?: number): void;
  /** Begins no more in these lanes: they are being handed over. */
  leave(lanes: ReadonlySet<number>): void;
  ask(now: number): Ask[];
  /** @param found what was read for these asks: of each sender and priority in the order of their due times. */
  select<C extends Candidate>(asks: readonly Ask[], found: readonly C[], now: number, wall: number): Selection<C>;
  /** One that was to go was not begun after all: it was cancelled, or had no place. */
  dropped(candidate: Candidate, now: number): void;
  /** The call of an attempt is over, and its room free; what came of it is not settled yet. */
  answered(candidate: Candidate): void;
  /** An attempt whose call was over is settled. @param again milliseconds until the next; null: there is none, or nobody knows. */
  ended(candidate: Candidate, again: number | null, now: number): void;
  /** WhatsApp said that a sender is too fast. */
  slow(sender: SenderId, now: number): void;
  /** WhatsApp said that a pair is, and when to try again. */
  shutPair(pair: ConversationId, until: number): void;
  /** A sender begins nothing before this time. -Infinity: it may again. */
  pause(sender: SenderId, until: number): void;
  /** What was put off, and sent, before the lane was ours. */
  restore(putOff: readonly PutOffBefore[], sent: readonly SentBefore[], now: number): void;
  /** Milliseconds until somebody with work may send. Infinity: none has work, or all wait for a call to end. */
  next(now: number): number;
  /** Calls under way. */
  readonly calls: number;
  /** Attempts that are not settled, in a lane or in all: their calls are under way, or were. */
  underWay(lane?: number): number;
}

/** A message that waits until a time; and since when it is to be tried again: null, it waits for something else. */
export type PutOffBefore = Placed & { until: number; since: number | null };

export interface SentBefore {
  conversation_id: ConversationId;
  count: number;
}

interface Known {
  sender: ScheduledSender;
  rate: SenderRate;
  priorities: Priorities;
  pausedUntil: number;
  calls: number;
  /** How many were in the way when it was last read: next time more is read, to get past them. */
  inTheWay: number;
}

/** The part of the room for calls that only messages of high priority may have. */
const HIGH_SHARE = 1 / 8;
/** Rounds are for many: so much of the room is waited for. */
const LEAST_ROOM = 1 / 4;
/** So many rooms of attempts may wait to be settled; with more the store is behind, and nothing is begun. */
const MOST_UNSETTLED = 2;
/** While there is less, high priority is looked for this often. */
const HIGH_EVERY = 20;
/** The part of the room that webhooks may have, and the most calls to one: a slow one is to cost nobody else, and not to be buried. */
const WEBHOOK_SHARE = 1 / 4;
const MOST_WEBHOOK_CALLS = 16;
/** So many of one line may wait in front of the others for the one that is under way. The rest is put off. */
const MOST_WAITING = 16;
const BEHIND = 500;
const MOST_REACH = 256;

export function createSchedule(options: ScheduleOptions): Schedule {
  const { gate, gateOpens, holds, validity } = options;
  const lowerRoom = options.room - Math.floor(options.room * HIGH_SHARE);
  const webhookRoom = Math.max(1, Math.floor(options.room * WEBHOOK_SHARE));
  const pairs = createPairRate();
  const order = createOrder();
  let known = new Map<SenderId, Known>();
  let byLane = new Map<number, Known[]>();
  /** Those that are gone, and whose calls are not over yet. */
  const parting = new Map<SenderId, Known>();
  /** Those that may have work. */
  const awake = new Set<Known>();
  let left: ReadonlySet<number> = new Set();
  const tenantCalls = new Map<TenantId, number>();
  let calls = 0;
  let webhookCalls = 0;
  /** Attempts that are not settled, by the lane they began in: their sender may be in another by now. */
  const openOf = new Map<number, number>();
  /** Of all those whose call is over. */
  let unsettled = 0;
  let turn = 0;
  let highLookedAt = Number.NEGATIVE_INFINITY;

  function roundsAreForAll(): boolean {
    const lower = lowerRoom - calls;
    return lower >= options.room * LEAST_ROOM || (calls === 0 && lower > 0);
  }

  function roomOf({ sender, calls: own }: Known): number {
    const most = sender.channel === 'webhook' ? Math.min(MOST_WEBHOOK_CALLS, options.senderRoom) : options.senderRoom;
    return Math.min(most - own, options.tenantRoom - (tenantCalls.get(sender.tenant) ?? 0));
  }

  function mayBegin({ sender, pausedUntil }: Known, now: number): boolean {
    return sender.active && pausedUntil <= now && !left.has(sender.lane);
  }

  function ready(now: number): { numbers: Ready[]; webhooks: Ready[] } {
    const numbers: Ready[] = [];
    const webhooks: Ready[] = [];
    for (const one of awake) {
      if (!mayBegin(one, now)) continue;
      const { id, lane, channel } = one.sender;
      const allowed = Math.min(one.rate.available(now), roomOf(one), gate(id, now));
      if (allowed > 0) (channel === 'webhook' ? webhooks : numbers).push({ sender: id, lane, allowed });
    }
    return { numbers, webhooks };
  }

  /** The caps of tenants hold for all of their senders together. */
  function withinTenants(shares: readonly Share[]): Share[] {
    const rest = new Map<TenantId, number>();
    return shares.flatMap((share) => {
      const { tenant } = (known.get(share.sender) as Known).sender;
      const free = rest.get(tenant) ?? options.tenantRoom - (tenantCalls.get(tenant) ?? 0);
      const room = Math.min(share.room, free);
      rest.set(tenant, free - room);
      return room > 0 ? [{ ...share, room }] : [];
    });
  }

  function count(candidate: Candidate, change: 1 | -1): void {
    const { sender_id, tenant_id } = candidate;
    const one = known.get(sender_id) ?? parting.get(sender_id);
    calls += change;
    const ofTenant = (tenantCalls.get(tenant_id) ?? 0) + change;
    if (ofTenant > 0) tenantCalls.set(tenant_id, ofTenant);
    else tenantCalls.delete(tenant_id);
    if (!one) return;
    one.calls += change;
    if (one.sender.channel === 'webhook') webhookCalls += change;
    if (one.calls === 0) parting.delete(sender_id);
  }

  function countOpen({ lane_id: lane }: Candidate, change: 1 | -1): void {
    const ofLane = (openOf.get(lane) ?? 0) + change;
    if (ofLane > 0) openOf.set(lane, ofLane);
    else openOf.delete(lane);
  }

  function isBehind(): boolean {
    return unsettled >= options.room * MOST_UNSETTLED;
  }

  function selectOf<C extends Candidate>(ask: Ask, found: readonly C[], now: number, wall: number, into: Selection<C>) {
    const one = known.get(ask.sender);
    if (!one || left.has(ask.lane)) return;
    const lists: ByPriority<C[]> = [[], [], []];
    for (const candidate of found) lists[candidate.priority].push(candidate);
    one.priorities.found([lists[0].length, lists[1].length, lists[2].length]);
    const places: ByPriority = [0, 0, 0];
    const has: ByPriority<boolean> = [lists[0].length > 0, lists[1].length > 0, lists[2].length > 0];
    const isPaired = one.sender.channel === 'whatsapp';
    const waiting = new Map<ConversationId, number>();
    const late = new Map<ConversationId, number>();
    const before = into.go.length;
    const putOffBefore = into.putOff.length;
    const skipped: C[] = [];

    const putOff = (candidate: C, delay: number, cause: DeferralCause) => {
      into.putOff.push({ candidate, delay, cause });
    };
    /** By the pair's rate: those behind it wait as well, each for its own time. */
    const putOffPair = (candidate: C, wait: number, place: Turn) => {
      const n = late.get(candidate.conversation_id) ?? 0;
      late.set(candidate.conversation_id, n + 1);
      const inLine = place.kind === 'behind' ? place.until - now + PAIR_LIMIT.every : wait;
      const delay = Math.max(inLine, candidate.batch_id === null ? 0 : wait + n * PAIR_LIMIT.every);
      order.putOff(candidate, now + delay);
      putOff(candidate, delay, 'pair_rate');
    };
    const consider = (candidate: C): boolean => {
      if (candidate.expires_at === null && wall - candidate.waiting_since.getTime() > validity) {
        into.stale.push(candidate);
        return false;
      }
      for (const hold of holds) {
        const deferral = hold(candidate, wall);
        if (deferral) {
          putOff(candidate, deferral.delay, deferral.cause);
          return false;
        }
      }
      const place = order.turn(candidate, now);
      const wait = isPaired ? pairs.wait(candidate.conversation_id, now) : 0;
      if (place.kind === 'go' && wait === 0) return true;
      if (wait > 0) putOffPair(candidate, wait, place);
      else if (place.kind === 'behind') {
        order.putOff(candidate, place.until);
        putOff(candidate, place.until - now, 'order');
      } else {
        const n = (waiting.get(candidate.conversation_id) ?? 0) + 1;
        waiting.set(candidate.conversation_id, n);
        if (n <= MOST_WAITING) skipped.push(candidate);
        else {
          order.putOff(candidate, now + BEHIND);
          putOff(candidate, BEHIND, 'order');
        }
      }
      return false;
    };

    while (into.go.length - before < ask.room) {
      const priority = one.priorities.next(has);
      if (priority === null) break;
      const candidate = lists[priority][places[priority]++] as C;
      has[priority] = places[priority] < lists[priority].length;
      if (!consider(candidate)) continue;
      order.began(candidate, now);
      if (isPaired) pairs.take(candidate.conversation_id, now);
      count(candidate, 1);
      countOpen(candidate, 1);
      into.go.push(candidate);
    }
    const went = into.go.length - before;
    one.inTheWay = skipped.length + into.putOff.length - putOffBefore;
    one.rate.take(went, now);
    const cut = [0, 1, 2].some(
      (p) => ask.limits[p as Priority] > 0 && lists[p as Priority].length >= ask.limits[p as Priority],
    );
    // All that could be read waits for what is under way: it makes room for those behind it.
    if (cut && went === 0 && into.putOff.length === putOffBefore) {
      for (const candidate of skipped) {
        order.putOff(candidate, now + BEHIND);
        putOff(candidate, BEHIND, 'order');
      }
    }
    if (cut || has.includes(true)) awake.add(one);
  }

  return {
    replace(senders, now) {
      const next = new Map<SenderId, Known>();
      for (const sender of senders) {
        const before = known.get(sender.id);
        if (!before) {
          const rate = createSenderRate(sender.rate, sender.inbound, now);
          const pausedUntil = Number.NEGATIVE_INFINITY;
          next.set(sender.id, {
            sender,
            rate,
            priorities: createPriorities(),
            pausedUntil,
            // It was here before: its calls count on.
            calls: parting.get(sender.id)?.calls ?? 0,
            inTheWay: 0,
          });
          parting.delete(sender.id);
          continue;
        }
        before.rate.set(sender.rate, sender.inbound);
        if (sender.active && !before.sender.active) awake.add(before);
        if (sender.pace !== before.sender.pace) before.pausedUntil = Number.NEGATIVE_INFINITY;
        before.sender = sender;
        next.set(sender.id, before);
      }
      for (const [id, one] of known) {
        if (next.has(id)) continue;
        awake.delete(one);
        if (one.calls > 0) parting.set(id, one);
      }
      for (const [id, one] of next) if (!known.has(id)) awake.add(one);
      known = next;
      byLane = Map.groupBy(known.values(), ({ sender }) => sender.lane);
    },
    wake(lane) {
      for (const one of lane === undefined ? known.values() : (byLane.get(lane) ?? [])) awake.add(one);
    },
    leave(lanes) {
      left = lanes;
    },
    ask(now) {
      if (isBehind()) return [];
      const room = options.room - calls;
      const lower = lowerRoom - calls;
      const isForAll = roundsAreForAll();
      if (!isForAll && (room <= 0 || now - highLookedAt < HIGH_EVERY)) return [];
      const { numbers, webhooks } = ready(now);
      if (numbers.length + webhooks.length === 0) return [];
      if (!isForAll) highLookedAt = now;
      turn++;
      const whole = isForAll ? lower : room;
      const forWebhooks = Math.min(whole, webhookRoom - webhookCalls);
      const toWebhooks = forWebhooks > 0 ? shareRoom(webhooks, forWebhooks, turn) : [];
      const rest = toWebhooks.reduce((sum, share) => sum - share.room, whole);
      return withinTenants([...shareRoom(numbers, rest, turn), ...toWebhooks]).map((share) => {
        const one = known.get(share.sender) as Known;
        // What comes while it is read wakes it again.
        if (isForAll) awake.delete(one);
        const reach = share.room + Math.min(one.inTheWay * 2, MOST_REACH);
        return { ...share, limits: isForAll ? one.priorities.limits(reach) : [share.room, 0, 0] };
      });
    },
    select(asks, found, now, wall) {
      const selection: Selection<(typeof found)[number]> = { go: [], putOff: [], stale: [] };
      const bySender = new Map<SenderId, (typeof found)[number][]>();
      for (const candidate of found) {
        const list = bySender.get(candidate.sender_id);
        if (list) list.push(candidate);
        else bySender.set(candidate.sender_id, [candidate]);
      }
      for (const ask of asks) selectOf(ask, bySender.get(ask.sender) ?? [], now, wall, selection);
      return selection;
    },
    dropped(candidate, now) {
      count(candidate, -1);
      countOpen(candidate, -1);
      const one = known.get(candidate.sender_id);
      one?.rate.take(-1, now);
      if (one?.sender.channel === 'whatsapp') pairs.giveBack(candidate.conversation_id);
      if (order.ended(candidate, null, now) && one) awake.add(one);
    },
    answered(candidate) {
      count(candidate, -1);
      unsettled++;
    },
    ended(candidate, again, now) {
      unsettled--;
      countOpen(candidate, -1);
      const one = known.get(candidate.sender_id);
      if (order.ended(candidate, again === null ? null : now + again, now) && one) awake.add(one);
    },
    slow(sender, now) {
      known.get(sender)?.rate.slow(now);
    },
    shutPair: pairs.shut,
    pause(sender, until) {
      const one = known.get(sender);
      if (!one) return;
      one.pausedUntil = until;
      awake.add(one);
    },
    restore(putOff, sent, now) {
      for (const one of putOff) order.putOff(one, one.until, one.since);
      for (const { conversation_id, count: n } of sent) pairs.restore(conversation_id, n, now);
    },
    next(now) {
      // The end of a call wakes the loop, and so does a settlement.
      if (calls >= options.room || isBehind()) return Number.POSITIVE_INFINITY;
      let soonest = Number.POSITIVE_INFINITY;
      for (const one of awake) {
        const { sender, pausedUntil } = one;
        if (!sender.active || left.has(sender.lane) || roomOf(one) <= 0) continue;
        // The end of one of theirs does.
        if (sender.channel === 'webhook' && webhookCalls >= webhookRoom) continue;
        soonest = Math.min(soonest, Math.max(one.rate.wait(now), pausedUntil - now, gateOpens(sender.id) - now));
      }
      return roundsAreForAll() ? soonest : Math.max(soonest, highLookedAt + HIGH_EVERY - now);
    },
    get calls() {
      return calls;
    },
    underWay(lane) {
      return lane === undefined ? calls + unsettled : (openOf.get(lane) ?? 0);
    },
  };
}
