import type { Connection, ConnectionCheck } from '../../domain/connection.ts';
import { E164 } from '../../domain/phone.ts';
import { askJson, type JsonAnswer } from '../../net/json-client.ts';
import { isCode, isRecord } from './answer.ts';

export interface NumberCheckOptions {
  /** `https://graph.facebook.com` */
  origin: string;
  /** Of the Graph API: `v26.0`. */
  version: string;
  /** Milliseconds. */
  timeout: number;
}

/** The fields of a phone number that tell whether it can send (Meta: business-phone-numbers/phone-numbers). */
const FIELDS = 'id,display_phone_number,status';

/** Asks the Graph API about a number: GET /{phone_number_id}. */
export function numberCheck({ origin, version, timeout }: NumberCheckOptions): ConnectionCheck {
  return {
    async check({ phone_number_id, access_token }) {
      const url = new URL(`/${version}/${encodeURIComponent(phone_number_id)}?fields=${FIELDS}`, origin);
      try {
        return readNumber(await askJson(url, timeout, undefined, { authorization: `Bearer ${access_token}` }));
      } catch (error) {
        return { kind: 'unknown', detail: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

const RENEW = 'give the sender a new access_token';
const GRANT = 'the token may not ask about the number: grant it whatsapp_business_management';
const UNSEEN = 'there is no such phone_number_id, or this token may not see it';
const MEND = 'see WhatsApp Manager';

/** States of a number in which nothing leaves. The others (CONNECTED, FLAGGED, RESTRICTED, …) send, if only less. */
const DOWN: Readonly<Record<string, string>> = {
  PENDING: 'the number is not registered yet: register it',
  UNVERIFIED: 'the number is not verified yet: verify and register it',
  DISCONNECTED: 'the number is disconnected: register it again',
  MIGRATED: 'the number has moved to another account: give that one',
  BANNED: `the number is banned: ${MEND}`,
  DELETED: 'the number is deleted',
};

/** Errors after which nothing leaves either, until a person does something (Meta: support/error-codes). */
const REFUSED: Readonly<Record<number, string>> = {
  0: `the access token is not valid: ${RENEW}`,
  190: `the access token is missing, expired or invalid: ${RENEW}`,
  368: `the account is blocked for a policy violation: ${MEND}`,
  131031: `the account is locked: ${MEND}`,
  131045: 'the number is not registered: register it',
  133010: 'the number is not registered: register it',
};

/**
 * Errors that may only mean that the token may send and not ask: asking takes whatsapp_business_management, sending does not.
 * They close no door.
 */
const NOT_TOLD: Readonly<Record<number, string>> = {
  3: GRANT,
  10: GRANT,
  33: UNSEEN,
  100: UNSEEN,
  131005: GRANT,
};

/** From the answer of the Graph API to what it means. Only its own words count: anything else tells nothing. */
export function readNumber({ status, text }: JsonAnswer): Connection {
  const answer = parse(text);
  const error = isRecord(answer) ? answer['error'] : undefined;
  if (status >= 400 && isRecord(error) && isCode(error['code'])) {
    const code = error['code'];
    const why = REFUSED[code];
    if (why !== undefined) return { kind: 'not_connected', detail: `${why} (error ${code})` };
    const untold = NOT_TOLD[code] ?? (code >= 200 && code <= 299 ? GRANT : 'WhatsApp did not say');
    return { kind: 'unknown', detail: `${untold} (error ${code})` };
  }
  if (status !== 200 || !isRecord(answer) || typeof answer['id'] !== 'string') {
    return { kind: 'unknown', detail: `HTTP ${status} without an answer of the Graph API` };
  }
  const why = DOWN[String(answer['status'])];
  if (why !== undefined) return { kind: 'not_connected', detail: why };
  return { kind: 'connected', phone: phoneOf(answer['display_phone_number']) };
}

/** `+1 555-010-9999` as E.164. */
function phoneOf(display: unknown): string | null {
  const phone = typeof display === 'string' ? `+${display.replace(/\D/g, '')}` : '';
  return E164.test(phone) ? phone : null;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
