import type { InstanceId } from '../domain/ids.ts';
import { EVERYTHING, type Notice } from './notice.ts';
import type { Topic, Word } from './signals.ts';

/**
 * What an instance is about to tell the others. A topic that is told of again before it goes is told of once. It stays small
 * however much is told: too many topics become all of them, and of too many words the oldest are forgotten.
 */
export interface Outbox {
  notify(topic: Topic | typeof EVERYTHING): void;
  say(word: Word): void;
  readonly isEmpty: boolean;
  /** All of it as a notice, which is then no longer in here. */
  take(id: string, from: InstanceId): Notice;
  /** Puts topics of a notice back that did not go. Words are not: they would be old. */
  putBack(notice: Notice): void;
  /** Words that were forgotten so far. */
  readonly forgotten: number;
}

export interface OutboxLimits {
  topics: number;
  words: number;
}

const LIMITS: OutboxLimits = { topics: 1000, words: 1000 };

export function createOutbox(limits: OutboxLimits = LIMITS): Outbox {
  let topics = new Set<Topic | typeof EVERYTHING>();
  let words: Word[] = [];
  let forgotten = 0;

  function notify(topic: Topic | typeof EVERYTHING): void {
    if (topics.has(EVERYTHING)) return;
    if (topic === EVERYTHING || (topics.size >= limits.topics && !topics.has(topic))) topics = new Set([EVERYTHING]);
    else topics.add(topic);
  }

  return {
    notify,
    say(word) {
      words.push(word);
      // A half at a time, so that a flood of words does not move the others once for each.
      if (words.length < 2 * limits.words) return;
      forgotten += words.length - limits.words;
      words = words.slice(-limits.words);
    },
    get isEmpty() {
      return topics.size + words.length === 0;
    },
    take(id, from) {
      const excess = Math.max(0, words.length - limits.words);
      forgotten += excess;
      const notice: Notice = { id, from, topics: [...topics], words: excess > 0 ? words.slice(excess) : words };
      topics = new Set();
      words = [];
      return notice;
    },
    putBack(notice) {
      for (const topic of notice.topics) notify(topic);
      forgotten += notice.words.length;
    },
    get forgotten() {
      return forgotten;
    },
  };
}
