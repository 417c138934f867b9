import type { Category } from '../message.ts';
import { MESSAGING_LIMIT } from '../messaging-limit.ts';

/**
 * Who may be written to first: a portfolio reaches at most so many users in a moving 24 hours. A part is kept for codes and
 * notices that somebody waits for; marketing stops before it. Users who count already cost nothing. Times are milliseconds
 * since 1970 by the database's clock.
 */
export interface LaneLimit {
  /** Users. */
  most: number;
  /** Of these, those kept for authentication and utility. */
  reserved: number;
}

/** A message that counts: a template to somebody whose window is not known to be open. */
export interface Reaching {
  lane: number;
  address: string;
  category: Category;
  /** Whether the user counts already. */
  known: boolean;
}

/** Whether messages stop before the part that is kept. */
export function isHeldEarlier(category: Category): boolean {
  return category !== 'authentication' && category !== 'utility';
}

/** How many users there may be after one more for a message of a category. */
export function mostFor(category: Category, { most, reserved }: LaneLimit): number {
  return isHeldEarlier(category) ? most - reserved : most;
}

/**
 * Which messages go, in their order. One that does not fit holds no other back.
 * @param users how many users each lane has reached; those who are let in are added.
 */
export function admit<M extends Reaching>(
  messages: readonly M[],
  users: Map<number, number>,
  limits: ReadonlyMap<number, LaneLimit>,
): { go: M[]; over: M[] } {
  const go: M[] = [];
  const over: M[] = [];
  const admitted = new Set<string>();
  for (const message of messages) {
    const { lane, address, category, known } = message;
    const limit = limits.get(lane);
    const key = `${lane} ${address}`;
    const before = users.get(lane) ?? 0;
    if (limit === undefined || known || admitted.has(key)) go.push(message);
    else if (before < mostFor(category, limit)) {
      users.set(lane, before + 1);
      admitted.add(key);
      go.push(message);
    } else over.push(message);
  }
  return { go, over };
}

/** Of one lane, those who stop early or those who do not. */
export interface Line {
  lane: number;
  early: boolean;
}

/**
 * When those that did not fit look again. A place is free 24 hours after its user was last written to; each place of the next hours is
 * promised to one message, so that not all of them come at the same moment. The others look again some hours later: by then
 * messages were cancelled, or the limit was raised. A promise is only a time to look: nobody else is kept from the place.
 */
export interface PlaceLines {
  /** The places before this time are promised. 0: none is. */
  promised(line: Line, now: number): number;
  /**
   * @param places when the next places get free, the soonest first.
   * @returns for each of so many messages the milliseconds to wait.
   */
  promise(line: Line, places: readonly number[], messages: number, now: number): number[];
}

/** Milliseconds. Places are promised this far ahead. */
export const PROMISED_AHEAD = 6 * 3_600_000;
const LEAST_WAIT = 1000;
const MOST_LINES = 10_000;

/** @param random from 0 to 1. */
export function createPlaceLines(random: () => number): PlaceLines {
  const lines = new Map<string, number>();
  const keyOf = ({ lane, early }: Line) => `${lane}${early}`;
  return {
    promised: (line, now) => {
      const until = lines.get(keyOf(line)) ?? 0;
      // A clock that was set back is no reason to promise nothing.
      return until > now && until <= now + PROMISED_AHEAD ? until : 0;
    },
    promise(line, places, messages, now) {
      const given = places.slice(0, messages);
      const last = given.at(-1);
      if (last !== undefined) {
        if (lines.size >= MOST_LINES) lines.clear();
        lines.set(keyOf(line), last);
      }
      const waits = given.map((place) => Math.max(place - now, LEAST_WAIT));
      while (waits.length < messages) waits.push((PROMISED_AHEAD * (1 + random())) / 2);
      return waits;
    },
  };
}

/** When the place of somebody reached at a time is free. */
export function freeAt(reachedAt: number): number {
  return reachedAt + MESSAGING_LIMIT.span;
}
