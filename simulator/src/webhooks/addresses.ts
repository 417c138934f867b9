import { randomBytes } from 'node:crypto';
import { type Dispatcher, request } from 'undici';
import { BadInput, fieldsOf, optionalText, optionalTexts, requiredText } from '../input.ts';
import type { Settings } from '../settings.ts';

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

/** Whose webhook it is: a number's, or its account's. */
export interface Origin {
  phone_number_id: string;
  waba_id: string;
}

/** The app that is meant where none is named. */
const DEFAULT_APP = '670843887433847';
const DEFAULTS: readonly string[] = [DEFAULT_APP];
const NONE: readonly string[] = [];

const ID = { pattern: /^[A-Za-z0-9_-]{1,64}$/, meaning: 'an app id: up to 64 letters, digits, - and _' };

/**
 * The apps and where each is told: one address for all numbers, and one of their own for some accounts and numbers. What was
 * registered last counts. An account's webhooks go to the apps that are subscribed to it.
 */
export class Addresses {
  readonly #settings: Settings;
  readonly #apps = new Map<string, Address>();
  readonly #ofNumbers = new Map<string, Address>();
  readonly #ofAccounts = new Map<string, Address>();
  readonly #appsOfTokens = new Map<string, string>();
  readonly #subscribed = new Map<string, Set<string>>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** The apps that are told: one webhook for each. */
  appsOf(origin: Origin): readonly string[] {
    if (this.#ofNumbers.has(origin.phone_number_id) || this.#ofAccounts.has(origin.waba_id)) return DEFAULTS;
    return this.subscribedTo(origin.waba_id);
  }

  /** Where an app is told of this origin now, undefined while it has not registered. */
  of(origin: Origin, app: string): Address | undefined {
    return this.#ofNumbers.get(origin.phone_number_id) ?? this.#ofAccounts.get(origin.waba_id) ?? this.#apps.get(app);
  }

  /** The app whose access token it is. */
  appOf(token: string): string {
    return this.#appsOfTokens.get(token) ?? DEFAULT_APP;
  }

  /** The apps subscribed to an account. While nobody said anything of it, the default app is. */
  subscribedTo(wabaId: string): readonly string[] {
    const apps = this.#subscribed.get(wabaId);
    if (apps) return [...apps];
    return this.#settings.only_subscribed ? NONE : DEFAULTS;
  }

  subscribe(wabaId: string, app: string): void {
    const apps = this.#subscribed.get(wabaId);
    if (apps) apps.add(app);
    else if (this.#subscribed.size < MAX_ADDRESSES) this.#subscribed.set(wabaId, new Set([app]));
  }

  unsubscribe(wabaId: string, app: string): void {
    const apps = this.#subscribed.get(wabaId) ?? new Set(this.subscribedTo(wabaId));
    apps.delete(app);
    this.#ofAccounts.delete(wabaId);
    this.#subscribed.set(wabaId, apps);
  }

  /** All of them without their secrets. */
  describe(): { url: string; app_id?: string; phone_number_ids: string[] | null; waba_ids?: string[] }[] {
    return [
      ...[...this.#apps].map(([app, { url }]) => ({
        url,
        ...(app === DEFAULT_APP ? {} : { app_id: app }),
        phone_number_ids: null,
      })),
      ...[...this.#ofNumbers].map(([id, { url }]) => ({ url, phone_number_ids: [id] })),
      ...[...this.#ofAccounts].map(([id, { url }]) => ({ url, phone_number_ids: null, waba_ids: [id] })),
    ];
  }

  /**
   * Registers `{"url", "app_secret", "verify_token", "app_id"?, "tokens"?, "phone_number_ids"?, "waba_ids"?}` after the
   * address has answered the challenge as Meta asks it (.../webhooks/create-webhook-endpoint). `tokens` are access tokens
   * of the app. Throws BadInput or NotVerified, and then changes nothing.
   */
  async register(
    body: unknown,
    dispatcher: Dispatcher,
  ): Promise<{ url: string; phone_number_ids: readonly string[] | null }> {
    const names = ['url', 'app_secret', 'verify_token', 'app_id', 'tokens', 'phone_number_ids', 'waba_ids'];
    const fields = fieldsOf(body, names);
    const url = parseUrl(requiredText(fields, 'url'));
    const appSecret = requiredText(fields, 'app_secret');
    const verifyToken = requiredText(fields, 'verify_token');
    const app = optionalText(fields, 'app_id', ID) ?? DEFAULT_APP;
    const numbers = optionalTexts(fields, 'phone_number_ids', MAX_ADDRESSES);
    const accounts = optionalTexts(fields, 'waba_ids', MAX_ADDRESSES);
    const tokens = optionalTexts(fields, 'tokens', MAX_ADDRESSES) ?? NONE;
    const room = (name: string, size: number): void => {
      if (size > MAX_ADDRESSES) throw new BadInput(name, `there may be at most ${MAX_ADDRESSES}`);
    };
    room('phone_number_ids', (numbers?.length ?? 0) + this.#ofNumbers.size);
    room('waba_ids', (accounts?.length ?? 0) + this.#ofAccounts.size);
    room('tokens', tokens.length + this.#appsOfTokens.size);
    room('app_id', this.#apps.size + 1);
    await challenge(url, verifyToken, dispatcher);
    const address = { url: url.href, origin: url.origin, path: url.pathname + url.search, app_secret: appSecret };
    for (const id of numbers ?? NONE) this.#ofNumbers.set(id, address);
    for (const id of accounts ?? NONE) this.#ofAccounts.set(id, address);
    for (const token of tokens) this.#appsOfTokens.set(token, app);
    if (!numbers && !accounts) this.#apps.set(app, address);
    return { url: url.href, phone_number_ids: numbers ?? null };
  }

  /** `override_callback_uri` of a subscription: the account's webhooks go there. Throws BadInput or NotVerified. */
  async override(wabaId: string, app: string, url: string, verifyToken: string, by: Dispatcher): Promise<void> {
    const known = this.#apps.get(app);
    if (!known) throw new BadInput('override_callback_uri', 'the app has no address yet');
    const other = parseUrl(url);
    await challenge(other, verifyToken, by);
    const address = { url: other.href, origin: other.origin, path: other.pathname + other.search };
    this.#ofAccounts.set(wabaId, { ...address, app_secret: known.app_secret });
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
