import { isList, isObject, parseJson } from './json.ts';

/** A message as `GET /_simulator/messages` lists it. */
export interface Accepted {
  /** Counts from 1 in the order of acceptance, without a gap. */
  n: number;
  wamid: string;
  phone_number_id: string;
  /** As it was sent: `to`, or `recipient` for a business-scoped user id. */
  to: string;
  type: string;
  /** `biz_opaque_callback_data`. */
  opaque: string | null;
  /** ISO 8601, UTC, milliseconds. */
  received_at: string;
  /** The request's body, or null when it was dropped to keep within the budget. */
  body: unknown;
}

export interface LedgerLimits {
  /** How many messages are kept for listing. */
  messages: number;
  /** How many bytes of bodies are kept, those of the newest messages. */
  bodyBytes: number;
}

const MESSAGES_A_PAGE = 4096;

/** Texts one behind the other in one buffer outside the heap, which a garbage collection need not walk. */
class Page {
  #bytes = Buffer.allocUnsafe(MESSAGES_A_PAGE * 64);
  readonly #ends = new Uint32Array(MESSAGES_A_PAGE);
  count = 0;

  get capacity(): number {
    return this.#bytes.length;
  }

  add(text: string): void {
    const start = this.count === 0 ? 0 : (this.#ends[this.count - 1] ?? 0);
    const most = start + text.length * 3;
    if (most > this.#bytes.length && start + Buffer.byteLength(text) > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, most));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    this.#ends[this.count++] = start + this.#bytes.write(text, start);
  }

  /** Gives back the space that a full page does not use. */
  seal(): void {
    this.#bytes = Buffer.from(this.#bytes.subarray(0, this.#ends[this.count - 1]));
  }

  text(index: number): string {
    return this.#bytes.toString('utf8', index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
  }
}

/** Pages in a row of which the oldest can be dropped. */
class Log {
  #pages: Page[] = [];
  /** How many texts were dropped with their pages. */
  dropped = 0;
  #bytes = 0;

  /** Appends, and drops the oldest pages while `tooMuch` says so. The newest page always stays. */
  append(text: string, tooMuch: (bytes: number, kept: number) => boolean): void {
    let page = this.#pages.at(-1);
    if (!page || page.count === MESSAGES_A_PAGE) {
      page = new Page();
      this.#pages.push(page);
      this.#bytes += page.capacity;
    }
    const before = page.capacity;
    page.add(text);
    if (page.count === MESSAGES_A_PAGE) page.seal();
    this.#bytes += page.capacity - before;
    while (this.#pages.length > 1 && tooMuch(this.#bytes, (this.#pages.length - 1) * MESSAGES_A_PAGE + page.count)) {
      const oldest = this.#pages.shift();
      this.#bytes -= oldest?.capacity ?? 0;
      this.dropped += MESSAGES_A_PAGE;
    }
  }

  /** The text that was appended as the `index`th, counted from 0, or undefined when it was dropped. */
  at(index: number): string | undefined {
    const kept = index - this.dropped;
    return kept < 0 ? undefined : this.#pages[Math.floor(kept / MESSAGES_A_PAGE)]?.text(kept % MESSAGES_A_PAGE);
  }

  clear(): void {
    this.#pages = [];
    this.dropped = 0;
    this.#bytes = 0;
  }
}

/**
 * What was really accepted, in order. Heads and bodies are kept as text in two logs, because millions of small objects
 * would cost the garbage collector more than the simulation costs. Bodies go first when there are too many bytes.
 */
export class Ledger {
  readonly #limits: LedgerLimits;
  readonly #heads = new Log();
  readonly #bodies = new Log();
  #total = 0;

  constructor(limits: LedgerLimits) {
    this.#limits = limits;
  }

  /** How many messages were accepted since the start or the last reset, dropped ones included. */
  get total(): number {
    return this.#total;
  }

  /** Writes a message down and returns its `n`. `body` is the JSON text of the request. */
  add(message: Omit<Accepted, 'n' | 'body' | 'received_at'>, receivedAt: number, body: string): number {
    const head = [message.wamid, message.phone_number_id, message.to, message.type, message.opaque, receivedAt];
    // A whole page goes at a time, so that at least as many as promised stay.
    this.#heads.append(JSON.stringify(head), (_bytes, kept) => kept - MESSAGES_A_PAGE >= this.#limits.messages);
    this.#bodies.append(body, (bytes) => bytes > this.#limits.bodyBytes);
    return ++this.#total;
  }

  /**
   * Up to `limit` messages with n > `after`, in order; what was dropped is left out. `next` is the `after` of the
   * following page, null when this one is empty.
   */
  list(after: number, limit: number): { messages: Accepted[]; total: number; next: number | null } {
    const messages: Accepted[] = [];
    const first = Math.max(after, this.#heads.dropped);
    for (let index = first; index < this.#total && messages.length < limit; index++) {
      const message = this.#read(index);
      if (message) messages.push(message);
    }
    return { messages, total: this.#total, next: messages.at(-1)?.n ?? null };
  }

  /**
   * The newest message for which `matches` says so, of the last `most`. It is given `to` and the id, and reads the message
   * only when it asks for it.
   */
  newest(
    matches: (to: string, wamid: string, message: () => Accepted | undefined) => boolean,
    most: number,
  ): Accepted | undefined {
    const last = Math.max(this.#heads.dropped, this.#total - most);
    for (let index = this.#total - 1; index >= last; index--) {
      const head = this.#heads.at(index);
      const fields = head === undefined ? undefined : parseJson(head);
      if (!isList(fields)) return undefined;
      if (matches(String(fields[2]), String(fields[0]), () => this.#read(index))) return this.#read(index);
    }
    return undefined;
  }

  clear(): void {
    this.#heads.clear();
    this.#bodies.clear();
    this.#total = 0;
  }

  #read(index: number): Accepted | undefined {
    const head = this.#heads.at(index);
    const fields = head === undefined ? undefined : parseJson(head);
    if (!isList(fields)) return undefined;
    const [wamid, phoneNumberId, to, type, opaque, receivedAt] = fields;
    const body = this.#bodies.at(index);
    const parsed = body === undefined ? null : parseJson(body);
    return {
      n: index + 1,
      wamid: String(wamid),
      phone_number_id: String(phoneNumberId),
      to: String(to),
      type: String(type),
      opaque: typeof opaque === 'string' ? opaque : null,
      received_at: new Date(Number(receivedAt)).toISOString(),
      body: isObject(parsed) || isList(parsed) ? parsed : null,
    };
  }
}
