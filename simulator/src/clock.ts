import { BadInput, fieldsOf, optionalNumber, optionalText } from './input.ts';

const MAX_ADVANCE = 10 * 365 * 86_400_000;
/** What may wait for a time at once. Beyond it nothing more is taken on. */
const MAX_WAITING = 100_000;
/** The longest wait that a timer takes. */
const MAX_TIMER = 2_000_000_000;

interface Waiting {
  due: number;
  fire: () => void;
}

/**
 * The time of the simulated WhatsApp: this computer's, and how far it was moved on. What expires goes by it, and so do the
 * times in webhooks. How long a status takes does not. It never goes back but by a reset.
 */
export class Clock {
  #ahead = 0;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** What the timer waits for. */
  #next = Number.POSITIVE_INFINITY;

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#ahead;
  }

  /** Milliseconds that only grow. For rates. */
  monotonic(): number {
    return performance.now() + this.#ahead;
  }

  /** How many milliseconds it is ahead of this computer's. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Calls `fire`, which must not throw, once the clock shows `due`, however it came to that. */
  at(due: number, fire: () => void): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push({ due, fire });
    if (due < this.#next) this.#watch(due);
  }

  /** Moves it on: `{"advance_ms"}` or `{"now"}`, an ISO 8601 time. Without either it stays. Throws BadInput. */
  change(body: unknown): { now: string; ahead_ms: number } {
    const fields = fieldsOf(body, ['advance_ms', 'now']);
    const advance = optionalNumber(fields, 'advance_ms', { min: 0, max: MAX_ADVANCE });
    const text = optionalText(fields, 'now');
    if (advance !== undefined && text !== undefined) throw new BadInput('now', 'stands beside advance_ms; give one');
    if (text !== undefined) {
      const time = Date.parse(text);
      if (Number.isNaN(time)) throw new BadInput('now', `must be a time such as 2026-11-21T08:00:00Z, got "${text}"`);
      const step = time - this.now();
      if (step < 0) throw new BadInput('now', 'is past: the clock only goes on. A reset sets it right');
      if (step > MAX_ADVANCE) throw new BadInput('now', 'is more than ten years ahead');
      this.#ahead += step;
    }
    this.#ahead += advance ?? 0;
    this.#run();
    return this.describe();
  }

  describe(): { now: string; ahead_ms: number } {
    return { now: new Date(this.now()).toISOString(), ahead_ms: this.#ahead };
  }

  /** Shows this computer's time again, and forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#next = Number.POSITIVE_INFINITY;
    this.#ahead = 0;
  }

  #watch(due: number): void {
    clearTimeout(this.#timer);
    this.#next = due;
    const wait = Math.min(Math.max(1, due - this.now()), MAX_TIMER);
    this.#timer = setTimeout(() => this.#run(), wait);
    this.#timer.unref();
  }

  #run(): void {
    const now = this.now();
    const due = this.#waiting.filter((one) => one.due <= now).sort((a, b) => a.due - b.due);
    this.#waiting = this.#waiting.filter((one) => one.due > now);
    this.#next = Number.POSITIVE_INFINITY;
    for (const { fire } of due) fire();
    const next = this.#waiting.reduce((earliest, one) => Math.min(earliest, one.due), Number.POSITIVE_INFINITY);
    if (Number.isFinite(next)) this.#watch(next);
    else clearTimeout(this.#timer);
  }
}
