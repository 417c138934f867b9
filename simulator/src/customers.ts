import { createHash } from 'node:crypto';

const MAX_KNOWN = 200_000;
const HOUR = 3_600_000;
/** A customer's message opens the window for a day; one that came by an advertisement, for three. */
const WINDOW = 24 * HOUR;
const FREE_ENTRY_WINDOW = 72 * HOUR;

/** A map that forgets its oldest entry when it is full. */
class Remembered<V> {
  readonly #entries = new Map<string, V>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= MAX_KNOWN) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** A customer's names: digits of the phone number, business-scoped user id, what he calls himself. */
export interface Names {
  wa_id?: string;
  user_id?: string;
  name?: string;
  username?: string;
}

/**
 * What is remembered of customers: by which names they go, until when their windows are open, what they stopped and whom
 * they blocked. Bounded: the oldest is forgotten.
 */
export class Customers {
  /** By portfolio and phone number: the user id that somebody gave it. */
  readonly #userIds = new Remembered<string>();
  /** By user id: the phone number. */
  readonly #phones = new Remembered<string>();
  readonly #names = new Remembered<{ name: string; username?: string }>();
  readonly #windows = new Remembered<number>();
  /** The newest message of each, which a deletion means when it names none. */
  readonly #newest = new Remembered<string>();
  /** The newest text of each, which an edit means. */
  readonly #newestText = new Remembered<string>();
  readonly #stopped = new Remembered<true>();
  /** Customers who blocked a number: nothing reaches them. */
  readonly #blocking = new Remembered<true>();

  /** Learns that both names are one person's. */
  link(portfolioId: string, phone: string, userId: string): void {
    const name = this.#names.get(userId);
    if (name !== undefined && this.#names.get(phone) === undefined) this.#names.set(phone, name);
    this.#userIds.set(`${portfolioId} ${phone}`, userId);
    this.#phones.set(userId, phone);
  }

  /** The customer has another phone number, another user id, or both. What was known of the old names goes along. */
  rename(portfolioId: string, phoneNumberId: string, from: Names, to: Names): void {
    const [old, next] = [keyOf(from), keyOf(to)];
    const window = this.#windows.get(`${phoneNumberId} ${old}`);
    if (window !== undefined) this.#windows.set(`${phoneNumberId} ${next}`, window);
    for (const newest of [this.#newest, this.#newestText]) {
      const wamid = newest.get(`${phoneNumberId} ${old}`);
      if (wamid !== undefined) newest.set(`${phoneNumberId} ${next}`, wamid);
    }
    const name = this.#names.get(old);
    if (name !== undefined) this.#names.set(next, name);
    if (from.wa_id !== undefined) this.#userIds.delete(`${portfolioId} ${from.wa_id}`);
    if (from.user_id !== undefined) this.#phones.delete(from.user_id);
    if (to.wa_id !== undefined && to.user_id !== undefined) this.link(portfolioId, to.wa_id, to.user_id);
  }

  /** The user id of a phone number: the one that was given, else one made of the number when `always`. */
  userIdOf(portfolioId: string, phone: string, always: boolean): string | undefined {
    if (!always && this.#userIds.size === 0) return undefined;
    const known = this.#userIds.get(`${portfolioId} ${phone}`);
    if (known !== undefined || !always) return known;
    const made = `US.${BigInt(`0x${createHash('sha256').update(`${portfolioId} ${phone}`).digest('hex').slice(0, 16)}`)}`;
    this.link(portfolioId, phone, made);
    return made;
  }

  phoneOf(userId: string): string | undefined {
    return this.#phones.get(userId);
  }

  /** What the customer calls himself, if he ever wrote. */
  profileOf(names: Names): { name: string; username?: string } | undefined {
    return this.#names.get(this.#key(names));
  }

  /** The customer wrote: the window is open. */
  wrote(
    phoneNumberId: string,
    names: Names,
    { id, type, at: now }: { id: string; type: string; at: number },
    fromAdvertisement: boolean,
  ): void {
    const key = this.#key(names);
    const open = `${phoneNumberId} ${key}`;
    this.#newest.set(open, id);
    if (type === 'text') this.#newestText.set(open, id);
    const until = now + (fromAdvertisement ? FREE_ENTRY_WINDOW : WINDOW);
    this.#windows.set(open, Math.max(until, this.#windows.get(open) ?? 0));
    if (names.name !== undefined) this.#names.set(key, { name: names.name, username: names.username });
  }

  /** The customer's newest message to a number, or his newest text. */
  newestOf(phoneNumberId: string, names: Names, which: 'message' | 'text'): string | undefined {
    const newest = which === 'text' ? this.#newestText : this.#newest;
    return newest.get(`${phoneNumberId} ${this.#key(names)}`);
  }

  windowIsOpen(phoneNumberId: string, names: Names, now: number): boolean {
    return (this.#windows.get(`${phoneNumberId} ${this.#key(names)}`) ?? 0) > now;
  }

  /** The customer stops or resumes marketing messages of a number's business. */
  prefer(phoneNumberId: string, names: Names, stop: boolean): void {
    const key = `${phoneNumberId} ${this.#key(names)}`;
    if (stop) this.#stopped.set(key, true);
    else this.#stopped.delete(key);
  }

  hasStopped(phoneNumberId: string, names: Names): boolean {
    return this.#stopped.size > 0 && this.#stopped.get(`${phoneNumberId} ${this.#key(names)}`) === true;
  }

  /** The customer blocks a number, or no longer. */
  block(phoneNumberId: string, names: Names, blocking: boolean): void {
    const key = `${phoneNumberId} ${this.#key(names)}`;
    if (blocking) this.#blocking.set(key, true);
    else this.#blocking.delete(key);
  }

  isBlocking(phoneNumberId: string, names: Names): boolean {
    return this.#blocking.size > 0 && this.#blocking.get(`${phoneNumberId} ${this.#key(names)}`) === true;
  }

  clear(): void {
    for (const names of [this.#userIds, this.#phones, this.#newest, this.#newestText]) names.clear();
    this.#names.clear();
    this.#windows.clear();
    this.#stopped.clear();
    this.#blocking.clear();
  }

  /** One key a person: the phone number when it is known. */
  #key(names: Names): string {
    const { wa_id: phone, user_id: userId } = names;
    return phone ?? (userId === undefined ? '' : (this.#phones.get(userId) ?? userId));
  }
}

function keyOf({ wa_id: phone, user_id: userId }: Names): string {
  return phone ?? userId ?? '';
}
