import { type EventPosition, isBefore } from '../../domain/event-cursor.ts';
import { LOG_START } from '../../store/events.read.ts';
import { type Entry, entriesAfter } from './log-reader.ts';

/** Bytes of frames that a window holds, and that all windows and readers of an instance hold together. */
const MOST_BYTES = 16 * 2 ** 20;
const MOST_BYTES_IN_ALL = 96 * 2 ** 20;
/** Milliseconds for which what nobody asks for is held. */
const LASTS = 5_000;

/**
 * A part of the log that was read lately, without a gap, for those who come back next and have missed the same. What lies furthest back is
 * given up when it grows too large.
 */
export class LogWindow {
  /** It has all that lies after `low`, up to `high`. */
  low: EventPosition = LOG_START;
  high: EventPosition = LOG_START;
  #entries: Entry[] = [];
  #bytes = 0;
  #usedAt = 0;
  readonly #kept: { bytes: number };

  /** @param kept what the instance holds, shared with the readers. */
  constructor(kept: { bytes: number }) {
    this.#kept = kept;
  }

  has(place: EventPosition): boolean {
    return !isBefore(place, this.low) && !isBefore(this.high, place);
  }

  /** What it has after a place, the oldest first, at most `most`. @param now milliseconds of the monotonic clock. */
  after(place: EventPosition, most: number, now: number): readonly Entry[] {
    this.#usedAt = now;
    return entriesAfter(this.#entries, 0, place, most);
  }

  /** Begins anew at a place. */
  begin(place: EventPosition): void {
    this.#kept.bytes -= this.#bytes;
    this.#bytes = 0;
    this.#entries = [];
    this.low = this.high = place;
  }

  /** Takes what lies between its end and a later place. */
  append(entries: readonly Entry[], high: EventPosition): void {
    const bytes = entries.reduce((sum, { frame }) => sum + frame.text.length, 0);
    if (this.#bytes + bytes > MOST_BYTES || this.#kept.bytes + bytes > MOST_BYTES_IN_ALL) this.begin(this.high);
    for (const entry of entries) this.#entries.push(entry);
    this.#bytes += bytes;
    this.#kept.bytes += bytes;
    this.high = high;
  }

  /** Gives up what was not asked for lately. */
  expire(now: number): void {
    if (this.#entries.length > 0 && now - this.#usedAt >= LASTS) this.begin(this.high);
  }
}
