import type { SenderId } from '../ids.ts';
import type { PauseScope } from '../provider-errors.ts';

/**
 * Circuit breakers. Each sender's calls are counted in a moving window; when too many of them fail because the other side is in trouble,
 * its queue is shut (a pause of the cause `provider_trouble`), and one message after the other is let through to see, at doubling intervals
 * (domain/pause.ts). Functions of the clock and of what they are told, without I/O. Times are milliseconds of a monotonic clock.
 */
export interface CallWindow {
  /** Counts a call that is over. @returns whether it trips the breaker; then the window is empty again. */
  observe(bad: boolean, now: number): boolean;
  /** Whether the last call went well, not longer ago than the window is long. */
  isWell(now: number): boolean;
}

/** The window: ten parts of three seconds. */
const PARTS = 10;
const PART = 3000;
/** So many calls in it at least, of them so many bad ones, or so many bad ones in a row, however slowly they come. */
const LEAST_CALLS = 10;
const BAD_SHARE = 0.5;
const BAD_IN_A_ROW = 10;

/** Makes an empty window. */
export function callWindow(): CallWindow {
  const good = new Uint32Array(PARTS);
  const bad = new Uint32Array(PARTS);
  let goodCalls = 0;
  let badCalls = 0;
  let inARow = 0;
  let part = Number.NEGATIVE_INFINITY;
  let lastAt = Number.NEGATIVE_INFINITY;
  let lastGood = false;

  function clear(): void {
    good.fill(0);
    bad.fill(0);
    goodCalls = 0;
    badCalls = 0;
  }

  /** Forgets what is out of the window by now. */
  function move(now: number): number {
    const current = Math.floor(now / PART);
    if (current >= part + PARTS) clear();
    else {
      for (let old = part + 1; old <= current; old++) {
        const at = old % PARTS;
        goodCalls -= good[at] as number;
        badCalls -= bad[at] as number;
        good[at] = 0;
        bad[at] = 0;
      }
    }
    part = Math.max(part, current);
    return part % PARTS;
  }

  return {
    observe(isBad, now) {
      const at = move(now);
      lastAt = now;
      lastGood = !isBad;
      if (!isBad) {
        good[at] = (good[at] as number) + 1;
        goodCalls++;
        inARow = 0;
        return false;
      }
      bad[at] = (bad[at] as number) + 1;
      badCalls++;
      inARow++;
      const calls = goodCalls + badCalls;
      const trips = inARow >= BAD_IN_A_ROW || (calls >= LEAST_CALLS && badCalls >= calls * BAD_SHARE);
      if (trips) {
        clear();
        inARow = 0;
      }
      return trips;
    },
    isWell: (now) => lastGood && now - lastAt <= PARTS * PART,
  };
}

/** A sender as the wider breakers see it. */
export interface SenderHealth {
  sender: SenderId;
  /** Its Meta app, and its account there (APP/ACCOUNT). */
  app: string;
  account: string;
  /** Its own breaker is open. */
  tripped: boolean;
  /** Its last call went well, a moment ago. */
  well: boolean;
}

/** What a sender's breaker shuts: the sender, or all that is in the same trouble. */
export interface BreakerScope {
  scope: Extract<PauseScope, 'sender' | 'account' | 'app' | 'provider'>;
  /** The narrower breakers that it stands for from now on: scopes and keys as in `pauses`. */
  within: { scope: Extract<PauseScope, 'sender' | 'account' | 'app'>; key: string }[];
}

const LEVELS = ['sender', 'account', 'app', 'provider'] as const;
type Level = (typeof LEVELS)[number];

/**
 * The widest scope that is in trouble with a sender whose breaker has tripped. A wider one trips when two or more of the next narrower
 * scopes in it are down and nothing in it goes well; with one active scope beneath it nothing is known of the others, and the narrowest
 * is shut alone.
 */
export function breakerScope(sender: SenderId, all: readonly SenderHealth[]): BreakerScope {
  const own = all.find((one) => one.sender === sender);
  let widest: BreakerScope = { scope: 'sender', within: [] };
  if (!own) return widest;
  for (const [above, level] of LEVELS.slice(1).entries()) {
    const members = all.filter((one) => keyAt(one, level) === keyAt(own, level));
    if (members.some(({ well, tripped }) => well && !tripped)) break;
    const narrower = LEVELS[above] as Level;
    const down = members.filter(({ tripped }) => tripped);
    if (new Set(down.map((one) => keyAt(one, narrower))).size < 2) continue;
    widest = { scope: level, within: withinOf(down, LEVELS.slice(0, above + 1)) };
  }
  return widest;
}

function withinOf(down: readonly SenderHealth[], levels: readonly Level[]): BreakerScope['within'] {
  return levels.flatMap((level) => {
    if (level === 'provider') return [];
    return [...new Set(down.map((one) => keyAt(one, level)))].map((key) => ({ scope: level, key }));
  });
}

function keyAt(one: SenderHealth, level: Level): string {
  return level === 'provider' ? 'whatsapp' : one[level];
}
