import { usageError } from '../exit-codes.ts';

/** More addressees than this are refused rather than held: the table below would take over 400 MB. */
const MOST = 16_000_000;
/** Business-scoped user ids are held as strings, which cost more. */
const MOST_USER_IDS = 1_000_000;

/**
 * Remembers in which line each addressee first stood. Phone numbers have at most 15 digits, which a double holds exactly;
 * an open-addressed table of doubles takes 12 bytes a slot and at most half its slots, where a Map of strings takes about
 * a hundred a number.
 */
export class FirstLines {
  #numbers = new Float64Array(1 << 16);
  #lines = new Uint32Array(1 << 16);
  #count = 0;
  readonly #userIds = new Map<string, number>();

  /** The line in which this addressee stood before, or null when this is the first. */
  seenBefore(address: string, line: number): number | null {
    if (!address.startsWith('+')) return this.#seenUserId(address, line);
    if (this.#count * 2 >= this.#numbers.length) this.#grow();
    const number = Number(address.slice(1));
    const slot = this.#slotOf(number);
    if (this.#numbers[slot] === number) return this.#lines[slot] ?? null;
    this.#numbers[slot] = number;
    this.#lines[slot] = line;
    this.#count++;
    return null;
  }

  #seenUserId(address: string, line: number): number | null {
    const before = this.#userIds.get(address);
    if (before !== undefined) return before;
    if (this.#userIds.size >= MOST_USER_IDS) throw tooMany(MOST_USER_IDS);
    this.#userIds.set(address, line);
    return null;
  }

  /** Where the number is, or the empty slot where it would go. Neighbouring numbers are spread by a multiplication. */
  #slotOf(number: number): number {
    const mask = this.#numbers.length - 1;
    const mixed = Math.imul(number % 0x1_0000_0000, 0x9e3779b1) ^ Math.imul(number / 0x1_0000_0000, 0x85ebca6b);
    let slot = (mixed ^ (mixed >>> 15)) & mask;
    while (this.#numbers[slot] !== 0 && this.#numbers[slot] !== number) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    if (this.#count >= MOST) throw tooMany(MOST);
    const numbers = this.#numbers;
    const lines = this.#lines;
    this.#numbers = new Float64Array(numbers.length * 2);
    this.#lines = new Uint32Array(numbers.length * 2);
    for (const [index, number] of numbers.entries()) {
      if (number === 0) continue;
      const slot = this.#slotOf(number);
      this.#numbers[slot] = number;
      this.#lines[slot] = lines[index] ?? 0;
    }
  }
}

function tooMany(most: number) {
  return usageError(`the file has more than ${most} addressees: split it, or give --allow-duplicates`);
}
