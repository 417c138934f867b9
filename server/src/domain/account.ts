/**
 * A WhatsApp Business Account as its provider tells of it: who asks, and what came of it. Codes and fields: Meta's pages
 * whatsapp-business-account and business-phone-numbers/phone-numbers.
 */
export interface AccountReader {
  /** Reads an account with all its numbers, and sees to its webhooks. Never throws. @param ending ends it early. */
  read(account: AccountAsk, ending?: AbortSignal): Promise<AccountAnswer>;
}

export interface AccountAsk {
  id: string;
  access_token: string;
  /** The Meta app whose webhooks are meant, as far as it is known. With its secret the token itself can be asked about. */
  app: { meta_id: string | null; secret: string | null };
  /** Whether webhooks of the account are to come to the app. */
  subscribe_wanted: boolean;
  /** What was known of that; null: nothing. */
  subscribed: boolean | null;
}

/**
 * - `read`: the token is good, and these are the facts.
 * - `refused`: the token does not open the account, until a person does something. `detail` says what.
 * - `throttled`: too many questions. `unknown`: nothing that tells. What was known before still holds.
 */
export type AccountAnswer =
  | { kind: 'read'; facts: AccountFacts }
  | { kind: 'refused'; detail: string }
  | { kind: 'throttled'; detail: string }
  | { kind: 'unknown'; detail: string };

export interface AccountFacts {
  name: string | null;
  portfolio_id: string | null;
  review_status: string | null;
  messaging_limit: string | null;
  /** Whether its webhooks come to the app; null: it could not be told. */
  subscribed: boolean | null;
  /** Why not as it is wanted. */
  subscribe_detail: string | null;
  /** Until when the token is good. `unknown`: nobody could be asked; null: for ever. */
  token_expires_at: Date | null | 'unknown';
  numbers: readonly NumberFacts[];
}

/** A number of the account. What is null was not told. */
export interface NumberFacts {
  phone_number_id: string;
  /** E.164. */
  phone: string | null;
  verified_name: string | null;
  name_status: string | null;
  quality: string | null;
  throughput: Throughput | null;
  /** Gone from the account, or about to be: no sender is made of it. */
  gone: boolean;
}

export type Throughput = 'STANDARD' | 'HIGH' | 'COEXISTENCE';

/** Messages a second, in and out, that WhatsApp takes of a number (Meta: throughput, 2026-09). */
export const RATE_OF: Readonly<Record<Throughput, number>> = { STANDARD: 80, HIGH: 1000, COEXISTENCE: 20 };

/**
 * The Graph API lets 200 questions an hour be asked about an account. A look takes three, and one more for each further page
 * of numbers; webhooks and schedules ask for one at most once a minute. After `throttled` it waits much longer.
 */
export const LEAST_BETWEEN_SYNCS = 60_000;
/** Nobody answered, which soon may be otherwise: again after this, and after four times as long each time. */
const SOON = 5000;
const THROTTLED = 15 * 60_000;
const LONGEST = 6 * 3_600_000;

/**
 * Milliseconds until an account is looked at again.
 * @param tries looks that failed since the last good one, this one included; 0: it was good.
 * @param random from 0 to 1: accounts that were added together are not asked about together for ever.
 */
export function nextSync(kind: AccountAnswer['kind'], tries: number, every: number, random: number): number {
  const jitter = 0.9 + random * 0.2;
  switch (kind) {
    case 'read':
    case 'refused':
      return every * jitter;
    case 'throttled':
      return Math.min(THROTTLED * 2 ** Math.min(Math.max(tries - 1, 0), 10), LONGEST) * jitter;
    case 'unknown':
      return Math.min(SOON * 4 ** Math.min(Math.max(tries - 1, 0), 10), every) * jitter;
  }
}
