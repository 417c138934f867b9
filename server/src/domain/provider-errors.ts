import type { DeferralCause, PauseCause } from './causes.ts';

/**
 * What follows each of the provider's error codes, as data. Codes and meanings: Meta's page support/error-codes, read 2026-09; the
 * classes are our own reading of them. Meta says to go by the code, not by the HTTP status. Answers and receipts use the same table.
 */
export const TABLE_DATE = '2026-09-30';

/**
 * - `retry`: may work later; tried again, at most `tries` times in all (null: until the message expires).
 * - `breaker`: the other side is in trouble; the same, and it counts for the circuit breaker of the sender (schedule/breaker.ts).
 * - `throttle`: the number is too fast; the same, and its rate is lowered.
 * - `pair`: too many to one recipient: 4^n seconds (Meta's own schedule).
 * - `pause`: nothing is wrong with the message, but nothing of its scope will pass: that queue stands still, and the message is held in
 *   it. From time to time one message is let through to see.
 * - `template`: the template is paused: messages with it are held until it is sent again (ADR 0019).
 * - `refuse`: this message will not leave. With `notBefore`, a person or a campaign may send it again after that time.
 */
export type ErrorClass = 'retry' | 'breaker' | 'throttle' | 'pair' | 'pause' | 'template' | 'refuse';

/** What an error of a class stops beside its message. */
export type ErrorScope = 'pair' | 'sender' | 'template' | 'account' | 'country' | 'app';
/** The scopes of a row of `pauses`, the narrowest first. `provider` is shut by a breaker only. */
export const PAUSE_SCOPES = ['country', 'sender', 'account', 'app', 'provider'] as const;
export type PauseScope = (typeof PAUSE_SCOPES)[number];

/**
 * When the next attempt is made. Milliseconds.
 * - `backoff`: at random below a span that doubles from `base` up to `cap`; null: those of the engine.
 * - `power`: 4^n times `base`, up to `cap`.
 * - `fixed`: after `base`.
 * - `held`: when what holds it ends.
 * - `never`.
 */
export type RetrySchedule =
  | { kind: 'backoff'; base: number | null; cap: number | null }
  | { kind: 'power'; base: number; cap: number }
  | { kind: 'fixed'; base: number }
  | { kind: 'held' }
  | { kind: 'never' };

export interface ProviderError {
  class: ErrorClass;
  meaning: string;
  scope: ErrorScope | null;
  /** Why what it stops has not left; null: nothing is stopped. */
  cause: PauseCause | DeferralCause | null;
  schedule: RetrySchedule;
  /** Most attempts in all; null: no limit but the message's validity. */
  tries: number | null;
  /** Milliseconds before which a refused message is not to be sent again. 0: whenever. */
  notBefore: number;
  /** What a person can do; null: nothing needs to be done. */
  advice: string | null;
}

/** The customer's window is closed: what is no template is not taken. */
export const WINDOW_CLOSED = 131047;
/** The template is paused: its messages wait. */
const TEMPLATE_PAUSED = 132015;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Meta: "wait at least 24 hours before sending again" to who has had his share of marketing. */
const MARKETING_REST = 24 * HOUR;
/** Meta: what is syncing, or not allowed for the moment, is so for some ten minutes. */
const SYNCING = 10 * MINUTE;
/** A flow that is throttled may be sent ten times an hour. */
const FLOW_REST = HOUR / 10;

const NEVER: RetrySchedule = { kind: 'never' };
const HELD: RetrySchedule = { kind: 'held' };
const USUAL: RetrySchedule = { kind: 'backoff', base: null, cap: null };

const plain = { scope: null, cause: null, notBefore: 0, advice: null };
const refuse = (meaning: string, advice: string | null = null): ProviderError => ({
  ...plain,
  class: 'refuse',
  meaning,
  schedule: NEVER,
  tries: 1,
  advice,
});
const retry = (
  meaning: string,
  tries: number | null,
  schedule: RetrySchedule = USUAL,
  advice: string | null = null,
): ProviderError => ({ ...plain, class: 'retry', meaning, cause: 'retry_wait', schedule, tries, advice });
const breaker = (meaning: string, tries: number | null = null): ProviderError => ({
  ...plain,
  class: 'breaker',
  meaning,
  cause: 'retry_wait',
  schedule: USUAL,
  tries,
});
const pause = (scope: ErrorScope, cause: PauseCause, meaning: string, advice: string | null): ProviderError => ({
  ...plain,
  class: 'pause',
  meaning,
  scope,
  cause,
  schedule: HELD,
  tries: null,
  advice,
});

const NEW_TOKEN = 'Give the sender or its account a new access token.';
const GRANT = 'Grant the token whatsapp_business_messaging for this account, or give another token.';
const REGISTER = 'Register the number in the WhatsApp Manager.';
const PAY = 'Add or mend the payment method of the WhatsApp Business Account.';
const APPEAL = "See Account Quality in Meta's Business Manager, and appeal or mend what it says.";
const SLOWER = 'Nothing: it goes on by itself. If it comes often, ask less of the management API.';
const TEMPLATE = 'Compare the template in WhatsApp with what was sent.';
const OTHERWISE = 'Nothing: WhatsApp lets no marketing through to this person for now. Reach them in another way.';
const UNREACHABLE =
  'See that the number is right. Who has no WhatsApp, or an old one, is reached in another way: sending again does no good.';
const IN_WINDOW =
  'Send a template, or name a fallback_template: text goes only within 24 hours of what the customer wrote last.';
const CONSOLE = 'This belongs to registering a number: see the WhatsApp Manager.';

const TABLE: ReadonlyMap<number, ProviderError> = new Map([
  [0, pause('sender', 'token_invalid', 'access token missing, expired or invalid', NEW_TOKEN)],
  [1, retry('invalid request or server error', 3)],
  [2, breaker('service down or overloaded')],
  [3, pause('sender', 'permission_missing', 'permission missing', GRANT)],
  [4, pause('app', 'call_rate', 'call rate of the app', SLOWER)],
  [10, pause('sender', 'permission_missing', 'permission missing', GRANT)],
  [
    33,
    pause(
      'sender',
      'number_not_ready',
      'phone number deleted or not visible',
      'Check the phone_number_id of the sender.',
    ),
  ],
  [100, refuse('bad or unsupported parameter')],
  [190, pause('sender', 'token_invalid', 'access token missing, expired or invalid', NEW_TOKEN)],
  [368, pause('account', 'restricted', 'blocked for a policy violation', APPEAL)],
  [80007, pause('account', 'call_rate', 'call rate of the WhatsApp Business Account', SLOWER)],
  [130403, refuse('this business blocked the person')],
  [
    130429,
    {
      ...plain,
      class: 'throttle',
      meaning: 'throughput of the number',
      cause: 'retry_wait',
      schedule: USUAL,
      tries: null,
    },
  ],
  [130472, refuse('the person is part of an experiment', OTHERWISE)],
  [130497, pause('country', 'country_restricted', 'the account may not write to this country', APPEAL)],
  [131000, breaker('unknown error', 5)],
  [131005, pause('sender', 'permission_missing', 'permission missing', GRANT)],
  [131008, refuse('required parameter missing')],
  [131009, refuse('parameter value not valid')],
  [131016, breaker('service overloaded')],
  [131020, refuse('group: not found, or not yours')],
  [131021, refuse('sender and recipient are the same')],
  [131026, refuse('undeliverable: no WhatsApp, old client, or terms not accepted', UNREACHABLE)],
  [131030, refuse('recipient not on the list of test numbers', 'Add the recipient to the test numbers of the app.')],
  [131031, pause('account', 'account_locked', 'account locked', APPEAL)],
  [
    131037,
    pause('sender', 'number_not_ready', 'display name not approved', 'Have a display name approved for the number.'),
  ],
  [131041, refuse('group: nobody to send to')],
  [131042, pause('account', 'payment_trouble', 'payment trouble', PAY)],
  [131044, pause('account', 'payment_trouble', 'payment trouble (calls)', PAY)],
  [131045, pause('sender', 'number_not_ready', 'phone number not registered', REGISTER)],
  [WINDOW_CLOSED, refuse('more than 24 hours since the person last wrote', IN_WINDOW)],
  [131048, pause('sender', 'restricted', 'number restricted for spam', APPEAL)],
  [
    131049,
    {
      ...refuse(
        'not delivered to keep a healthy ecosystem (marketing cap of the person)',
        'Send it again after 24 hours at the earliest, if it still matters then.',
      ),
      cause: 'marketing_cap',
      notBefore: MARKETING_REST,
    },
  ],
  [131050, refuse('the person stopped marketing messages')],
  [131051, refuse('message type not supported')],
  [131052, retry('media could not be downloaded', 2)],
  [131053, retry('media could not be uploaded', 2)],
  [131055, retry('method not allowed at the moment', 5, { kind: 'fixed', base: SYNCING })],
  [
    131056,
    {
      ...plain,
      class: 'pair',
      meaning: 'too many messages to one recipient',
      scope: 'pair',
      cause: 'pair_rate',
      schedule: { kind: 'power', base: 1000, cap: 1_024_000 },
      tries: null,
    },
  ],
  [131057, pause('sender', 'maintenance', 'number in maintenance (throughput upgrade)', null)],
  [131059, refuse('group: message not supported')],
  [131062, refuse('business-scoped user id not supported for this message')],
  [131063, refuse('marketing templates are not sent by this API')],
  [131064, pause('account', 'restricted', 'limited for wrongly categorised templates', APPEAL)],
  [131208, retry('group: temporarily unavailable', 5)],
  [132000, refuse('number of template parameters does not match', TEMPLATE)],
  [132001, refuse('template missing or not approved', TEMPLATE)],
  [132005, refuse('template text too long', TEMPLATE)],
  [132007, refuse('template content breaks a policy', TEMPLATE)],
  [132008, refuse('template parameter format', TEMPLATE)],
  [132012, refuse('template parameter format', TEMPLATE)],
  [
    TEMPLATE_PAUSED,
    {
      ...plain,
      class: 'template',
      meaning: 'template paused',
      scope: 'template',
      schedule: HELD,
      tries: null,
      advice: 'Better the template, or wait: WhatsApp ends the pause after some hours.',
    },
  ],
  [132016, refuse('template disabled', TEMPLATE)],
  [132018, refuse('template parameters not valid', TEMPLATE)],
  [132068, refuse('flow blocked', 'Mend the flow in the WhatsApp Manager.')],
  [132069, retry('flow throttled', null, { kind: 'fixed', base: FLOW_REST }, 'Mend the flow in the WhatsApp Manager.')],
  [133000, refuse('registration: an earlier deletion is not over', CONSOLE)],
  [133004, breaker('server temporarily unavailable')],
  [133005, refuse('registration: wrong PIN', CONSOLE)],
  [133006, refuse('registration: number not verified', CONSOLE)],
  [133008, refuse('registration: too many wrong PINs', CONSOLE)],
  [133009, refuse('registration: PIN given too fast', CONSOLE)],
  [133010, pause('sender', 'number_not_ready', 'phone number not registered', REGISTER)],
  [133015, refuse('registration: deleted a moment ago, wait five minutes', CONSOLE)],
  [133016, refuse('registration: too many attempts', CONSOLE)],
  [134100, refuse('only marketing templates here')],
  [134101, retry('template still syncing', 5, { kind: 'fixed', base: SYNCING })],
  [134102, refuse('template unavailable', TEMPLATE)],
  [135000, refuse('unknown error with the request parameters')],
  [137000, refuse('identity of the recipient does not match')],
]);

const GROUPS: ProviderError = refuse('groups');
const PERMISSION: ProviderError = pause('sender', 'permission_missing', 'permission missing', GRANT);
const UNKNOWN: ProviderError = retry('code not in the table', 3);

/**
 * What the table says of a code; codes 200 to 299 are missing permissions, 131200 to 131299 are about groups, unknown ones are
 * tried three times.
 */
export function providerError(code: number): ProviderError {
  const known = TABLE.get(code);
  if (known) return known;
  if (code >= 200 && code <= 299) return PERMISSION;
  return code >= 131_200 && code <= 131_299 ? GROUPS : UNKNOWN;
}

/** Every code the table names, for its page and its tests. */
export function knownCodes(): number[] {
  return [...TABLE.keys()];
}

/** Whether a code says that too much was asked in too short a time: whatever was asked may be asked again later. */
export function isTooFast(code: number): boolean {
  const { class: kind, cause } = providerError(code);
  return kind === 'throttle' || cause === 'call_rate' || cause === 'maintenance';
}

/** What a code of the class `pause` stops, and why; null for all others. */
export function pauseOf(code: number): { scope: PauseScope; cause: PauseCause } | null {
  const found = providerError(code);
  if (found.class !== 'pause') return null;
  return { scope: found.scope as PauseScope, cause: found.cause as PauseCause };
}
