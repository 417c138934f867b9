/**
 * The provider's error codes as data. Codes and meanings: Meta's page support/error-codes, read 2026-09; the classes are
 * our own reading of them. Meta says to go by the code, not by the HTTP status. Answers and receipts use the same table.
 */
export const TABLE_DATE = '2026-09-30';

/**
 * - `retry`: may work later, by the ordinary back-off, at most `tries` times in all (null: until the message expires).
 * - `throttle`: too fast; the same, and the sender's bucket is emptied.
 * - `pair`: too many to one recipient: 4^n seconds (Meta's own schedule).
 * - `hold`: nothing is wrong with the message, and nobody but a person can mend it (token, payment, lock): looked at
 *   again every minute, for as long as the message is valid.
 * - `refuse`: this message will never leave.
 */
export type ErrorClass = 'retry' | 'throttle' | 'pair' | 'hold' | 'refuse';

export interface ProviderError {
  class: ErrorClass;
  meaning: string;
  /** Most attempts in all; null: no limit but the message's validity. */
  tries: number | null;
}

/** The customer's window is closed: what is no template is not taken. */
export const WINDOW_CLOSED = 131047;

const retry = (meaning: string, tries: number | null = null): ProviderError => ({ class: 'retry', meaning, tries });
const throttle = (meaning: string): ProviderError => ({ class: 'throttle', meaning, tries: null });
const hold = (meaning: string): ProviderError => ({ class: 'hold', meaning, tries: null });
const refuse = (meaning: string): ProviderError => ({ class: 'refuse', meaning, tries: null });

const TABLE: ReadonlyMap<number, ProviderError> = new Map([
  [0, hold('access token missing, expired or invalid')],
  [1, retry('invalid request or server error', 3)],
  [2, retry('service down or overloaded')],
  [3, hold('permission missing')],
  [4, throttle('call rate of the app')],
  [10, hold('permission missing')],
  [33, hold('phone number deleted or not visible')],
  [100, refuse('bad or unsupported parameter')],
  [190, hold('access token missing, expired or invalid')],
  [368, hold('blocked for a policy violation')],
  [80007, throttle('call rate of the WhatsApp Business Account')],
  [130403, refuse('this business blocked the person')],
  [130429, throttle('throughput of the number')],
  [130472, refuse('the person is part of an experiment')],
  [130497, refuse('the account may not write to this country')],
  [131000, retry('unknown error', 5)],
  [131005, hold('permission missing')],
  [131008, refuse('required parameter missing')],
  [131009, refuse('parameter value not valid')],
  [131016, retry('service overloaded')],
  [131020, refuse('group: not found, or not yours')],
  [131021, refuse('sender and recipient are the same')],
  [131026, refuse('undeliverable: no WhatsApp, old client, or terms not accepted')],
  [131030, refuse('recipient not on the list of test numbers')],
  [131031, hold('account locked')],
  [131037, hold('display name not approved')],
  [131041, refuse('group: nobody to send to')],
  [131042, hold('payment trouble')],
  [131044, hold('payment trouble (calls)')],
  [131045, hold('phone number not registered')],
  [WINDOW_CLOSED, refuse('more than 24 hours since the person last wrote: send a template')],
  [131048, hold('number restricted for spam')],
  [131049, refuse('not delivered to keep a healthy ecosystem (marketing cap of the person)')],
  [131050, refuse('the person stopped marketing messages')],
  [131051, refuse('message type not supported')],
  [131052, retry('media could not be downloaded', 2)],
  [131053, retry('media could not be uploaded', 2)],
  [131055, retry('method not allowed at the moment', 5)],
  [131056, { class: 'pair', meaning: 'too many messages to one recipient', tries: null }],
  [131057, throttle('number in maintenance (throughput upgrade)')],
  [131059, refuse('group: message not supported')],
  [131062, refuse('business-scoped user id not supported for this message')],
  [131063, refuse('marketing templates are not sent by this API')],
  [131064, hold('limited for wrongly categorised templates')],
  [131208, retry('group: temporarily unavailable', 5)],
  [132000, refuse('number of template parameters does not match')],
  [132001, refuse('template missing or not approved')],
  [132005, refuse('template text too long')],
  [132007, refuse('template content breaks a policy')],
  [132008, refuse('template parameter format')],
  [132012, refuse('template parameter format')],
  [132015, hold('template paused')],
  [132016, refuse('template disabled')],
  [132018, refuse('template parameters not valid')],
  [132068, refuse('flow blocked')],
  [132069, throttle('flow throttled')],
  [133000, refuse('registration: an earlier deletion is not over')],
  [133004, retry('server temporarily unavailable')],
  [133005, refuse('registration: wrong PIN')],
  [133006, refuse('registration: number not verified')],
  [133008, refuse('registration: too many wrong PINs')],
  [133009, refuse('registration: PIN given too fast')],
  [133010, hold('phone number not registered')],
  [133015, refuse('registration: deleted a moment ago, wait five minutes')],
  [133016, refuse('registration: too many attempts')],
  [134100, refuse('only marketing templates here')],
  [134101, retry('template still syncing', 5)],
  [134102, refuse('template unavailable')],
  [135000, refuse('unknown error with the request parameters')],
  [137000, refuse('identity of the recipient does not match')],
]);

const GROUPS: ProviderError = refuse('groups');
const PERMISSION: ProviderError = hold('permission missing');
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

/**
 * Codes after which messages wait for a person: a new token, a registration, a payment. A paused template is none of them: it
 * is held, and let go, by what is told of the template.
 */
export function heldCodes(): number[] {
  return knownCodes().filter((code) => providerError(code).class === 'hold' && code !== 132015);
}

/** Every code the table names, for its page and its tests. */
export function knownCodes(): number[] {
  return [...TABLE.keys()];
}
