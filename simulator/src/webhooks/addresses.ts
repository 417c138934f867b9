import { randomBytes } from 'node:crypto';
import { type Dispatcher, request } from 'undici';
import { BadInput, fieldsOf, optionalTexts, requiredText } from '../input.ts';

/** Where webhooks go, and the secret that signs them. */
export interface Address {
  url: string;
  origin: string;
  path: string;
  app_secret: string;
}

const MAX_ADDRESSES = 10_000;
const VERIFY_TIMEOUT = 10_000;

/** A registered address did not pass the challenge. The message says what came back. */
export class NotVerified extends Error {
  constructor(problem: string, options?: ErrorOptions) {
    super(`the address did not answer the challenge: ${problem}`, options);
    this.name = 'NotVerified';
  }
}

/** The addresses that are registered: one for all numbers, and one of their own for some. The last one counts. */
export class Addresses {
  #forAll: Address | undefined;
  readonly #ofNumbers = new Map<string, Address>();

  /** Where the webhooks of a number go now, undefined while nobody has registered. */
  of(phoneNumberId: string): Address | undefined {
    return this.#ofNumbers.get(phoneNumberId) ?? this.#forAll;
  }

  /** All of them without their secrets. */
  describe(): { url: string; phone_number_ids: string[] | null }[] {
    const own = [...this.#ofNumbers].map(([id, { url }]) => ({ url, phone_number_ids: [id] }));
    return this.#forAll ? [{ url: this.#forAll.url, phone_number_ids: null }, ...own] : own;
  }

  /**
   * Registers `{"url", "app_secret", "verify_token", "phone_number_ids"?}` after the address has answered the challenge
   * as Meta asks it (.../webhooks/create-webhook-endpoint). Throws BadInput or NotVerified, and then changes nothing.
   */
  async register(
    body: unknown,
    dispatcher: Dispatcher,
  ): Promise<{ url: string; phone_number_ids: readonly string[] | null }> {
    const fields = fieldsOf(body, ['url', 'app_secret', 'verify_token', 'phone_number_ids']);
    const url = parseUrl(requiredText(fields, 'url'));
    const appSecret = requiredText(fields, 'app_secret');
    const verifyToken = requiredText(fields, 'verify_token');
    const ids = optionalTexts(fields, 'phone_number_ids', MAX_ADDRESSES);
    if (ids && ids.length + this.#ofNumbers.size > MAX_ADDRESSES) {
      throw new BadInput('phone_number_ids', `at most ${MAX_ADDRESSES} numbers may have an address of their own`);
    }
    await challenge(url, verifyToken, dispatcher);
    const address = { url: url.href, origin: url.origin, path: url.pathname + url.search, app_secret: appSecret };
    if (ids) for (const id of ids) this.#ofNumbers.set(id, address);
    else this.#forAll = address;
    return { url: url.href, phone_number_ids: ids ?? null };
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new BadInput('url', `must be an http or https address, got "${text}"`);
}

async function challenge(url: URL, verifyToken: string, dispatcher: Dispatcher): Promise<void> {
  const expected = randomBytes(8).readBigUInt64BE().toString();
  const asked = new URL(url);
  asked.searchParams.set('hub.mode', 'subscribe');
  asked.searchParams.set('hub.challenge', expected);
  asked.searchParams.set('hub.verify_token', verifyToken);
  let status: number;
  let answer: string;
  try {
    const response = await request(asked, { dispatcher, signal: AbortSignal.timeout(VERIFY_TIMEOUT) });
    status = response.statusCode;
    answer = await response.body.text();
  } catch (error) {
    throw new NotVerified(error instanceof Error ? error.message : String(error), { cause: error });
  }
  if (status !== 200) throw new NotVerified(`status ${status} instead of 200`);
  if (answer.trim() !== expected) throw new NotVerified('the answer is not the challenge');
}
