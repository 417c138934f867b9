import type { EndpointId } from '../../domain/ids.ts';
import type { TryOutcome } from '../../domain/webhook-retry.ts';

/**
 * How much goes to each endpoint at once. One that answers well is given more, call by call; one that fails is given half as much
 * each time, and a rest when it goes on. So one that is slow or gone holds few places, and all such together at most half of them.
 */
export interface Lane {
  /** Calls at once, at most. */
  window: number;
  /** Calls under way. */
  calling: number;
  /** Deliveries in hand: taken and not yet settled. */
  held: number;
  /** The same of those that were handed over before they were stored. */
  handed: number;
  /** How long a call that went well takes, in milliseconds, the last ones more than those before. */
  took: number;
  /** When calls last came to an end or began after none, by the monotonic clock. */
  movedAt: number;
  /** Failures in a row. */
  failures: number;
  /** When it is called again, by the monotonic clock. */
  restUntil: number;
  /** Whether the last claim took all that there was room for: there may be more. */
  full: boolean;
}

export interface Lanes {
  of(endpoint: EndpointId): Lane;
  /** How many more deliveries of an endpoint may be taken in hand now. */
  roomOf(endpoint: EndpointId, now: number): number;
  /** How many new events may be handed to who posts to an endpoint, without being stored before. Null: none, for it does not take them quickly. */
  handRoomOf(endpoint: EndpointId, now: number): number | null;
  hand(endpoint: EndpointId, n: number): void;
  unhand(endpoint: EndpointId, n: number): void;
  /** A call begins. */
  call(endpoint: EndpointId, now: number): void;
  /** Whether it is time to look for more of an endpoint: there was more than was taken, and half of that is done. */
  wantsMore(endpoint: EndpointId): boolean;
  /** Milliseconds that an endpoint rests yet; 0: it does not. */
  restOf(endpoint: EndpointId, now: number): number;
  take(endpoint: EndpointId, n: number): void;
  letGo(endpoint: EndpointId, n: number): void;
  /** @param took milliseconds of the call. */
  learn(endpoint: EndpointId, outcome: TryOutcome, took: number, now: number): void;
  /** Deliveries in hand, of all endpoints. */
  readonly held: number;
}

const FIRST_WINDOW = 10;
const MOST_CALLS = 100;
/** Milliseconds. What answers well but takes longer is given no more than so many places. */
const SLOW = 2000;
const SLOW_WINDOW = 8;
/** Deliveries in hand for each call at once: the next is there when one ends, and one question to the store takes many. */
const AHEAD = 5;
/** The same for who is not quick: what is in hand is not to wait there. */
const AHEAD_SLOW = 2;
/** Deliveries in hand at most. */
const MOST_HELD = 4000;
/** What is handed over before it is stored: for each call at once, and of all endpoints. */
const AHEAD_HANDED = 15;
const MOST_HANDED = 8000;
/** Milliseconds of a call, or without the end of one. Who is slower than this is handed nothing: others would wait for him. */
const PROMPT = 500;
/** Failures in a row after which it rests; the first rest and the longest, in milliseconds. */
const PATIENCE = 3;
const FIRST_REST = 100;
const LONGEST_REST = 5000;
/** The longest rest that an endpoint may wish for, in milliseconds. */
const LONGEST_WISH = 60_000;
/** Lanes that are remembered though nothing of them is in hand. */
const MOST_IDLE = 5000;

export function createLanes(): Lanes {
  const lanes = new Map<EndpointId, Lane>();
  let held = 0;
  let heldTroubled = 0;
  let handed = 0;

  function laneOf(endpoint: EndpointId): Lane {
    let lane = lanes.get(endpoint);
    if (lane === undefined) {
      if (lanes.size >= MOST_IDLE) for (const [id, one] of lanes) if (one.held + one.handed === 0) lanes.delete(id);
      lane = {
        window: FIRST_WINDOW,
        calling: 0,
        held: 0,
        handed: 0,
        took: 0,
        movedAt: 0,
        failures: 0,
        restUntil: 0,
        full: false,
      };
      lanes.set(endpoint, lane);
    }
    return lane;
  }
  const mostOf = ({ window }: Lane) => window * (window > SLOW_WINDOW ? AHEAD : AHEAD_SLOW);
  const isTroubled = ({ failures }: Lane) => failures > 0;
  function change(lane: Lane, by: number): void {
    lane.held += by;
    held += by;
    if (isTroubled(lane)) heldTroubled += by;
  }

  return {
    of: laneOf,
    roomOf(endpoint, now) {
      const lane = laneOf(endpoint);
      if (lane.restUntil > now) return 0;
      const free = isTroubled(lane) ? MOST_HELD / 2 - heldTroubled : MOST_HELD;
      return Math.max(0, Math.min(mostOf(lane) - lane.held, free, MOST_HELD - held));
    },
    handRoomOf(endpoint, now) {
      const lane = laneOf(endpoint);
      if (isTroubled(lane) || lane.window <= SLOW_WINDOW || lane.took > PROMPT) return null;
      if (lane.calling > 0 && now - lane.movedAt > PROMPT) return null;
      return Math.max(0, Math.min(lane.window * AHEAD_HANDED - lane.handed, MOST_HANDED - handed));
    },
    hand(endpoint, n) {
      laneOf(endpoint).handed += n;
      handed += n;
    },
    unhand(endpoint, n) {
      laneOf(endpoint).handed -= n;
      handed -= n;
    },
    call(endpoint, now) {
      const lane = laneOf(endpoint);
      if (lane.calling++ === 0) lane.movedAt = now;
    },
    wantsMore(endpoint) {
      const lane = laneOf(endpoint);
      return lane.full && lane.held <= mostOf(lane) / 2;
    },
    restOf: (endpoint, now) => Math.max(0, (lanes.get(endpoint)?.restUntil ?? 0) - now),
    take: (endpoint, n) => change(laneOf(endpoint), n),
    letGo: (endpoint, n) => change(laneOf(endpoint), -n),
    learn(endpoint, outcome, took, now) {
      const lane = laneOf(endpoint);
      const before = isTroubled(lane);
      lane.calling = Math.max(0, lane.calling - 1);
      lane.movedAt = now;
      if (outcome.kind === 'delivered') {
        lane.failures = 0;
        lane.took += (took - lane.took) / 8;
        lane.window = took < SLOW ? Math.min(lane.window + 1, MOST_CALLS) : Math.min(lane.window, SLOW_WINDOW);
      } else {
        lane.failures++;
        lane.window = Math.max(1, lane.window >> 1);
        const over = lane.failures - PATIENCE;
        const rest = over < 0 ? 0 : Math.min(FIRST_REST * 2 ** over, LONGEST_REST);
        lane.restUntil = now + Math.max(rest, Math.min(outcome.retryAfter ?? 0, LONGEST_WISH));
      }
      const after = isTroubled(lane);
      if (before !== after) heldTroubled += after ? lane.held : -lane.held;
    },
    get held() {
      return held;
    },
  };
}
