import type { AppSecrets } from '../../domain/app-secrets.ts';
import { type Hmac, hmacSha256 } from './hmac.ts';
import { isSameSecret, isSignedBy } from './signature.ts';

type Verdict = 'valid' | 'invalid' | 'unknown_app';
type OrLater<T> = T | Promise<T>;

/** Judges webhooks before anything reads them. */
export interface Verifier {
  /**
   * Judges raw bytes by the `X-Hub-Signature-256` header, against the app's secret and then against the one before while that
   * is believed.
   */
  verify(app: string, body: Buffer, signature: string | undefined): OrLater<Verdict>;
  /**
   * Answers Meta's question whether an address is ours: the challenge, or null when it asks wrongly
   * (Meta's page webhooks/create-webhook-endpoint).
   */
  challenge(app: string, query: Readonly<Record<string, string>>): OrLater<string | null>;
}

/**
 * @param secretsOf the secrets of an app, undefined when there is no such app. Others are another object.
 * @param now milliseconds since 1970.
 */
export function createVerifier(
  secretsOf: (app: string) => OrLater<AppSecrets | undefined>,
  now: () => number = Date.now,
): Verifier {
  const macs = new WeakMap<object, Hmac>();
  function macOf(holder: { appSecret: string }): Hmac {
    const known = macs.get(holder);
    if (known) return known;
    const mac = hmacSha256(holder.appSecret);
    macs.set(holder, mac);
    return mac;
  }

  function judge(secrets: AppSecrets | undefined, body: Buffer, signature: string | undefined): Verdict {
    if (!secrets) return 'unknown_app';
    if (isSignedBy(macOf(secrets), body, signature)) return 'valid';
    const { previous } = secrets;
    if (!previous || previous.until <= now()) return 'invalid';
    return isSignedBy(macOf(previous), body, signature) ? 'valid' : 'invalid';
  }

  return {
    verify: (app, body, signature) => given(secretsOf(app), (secrets) => judge(secrets, body, signature)),
    challenge: (app, query) => given(secretsOf(app), (secrets) => answerChallenge(secrets, query)),
  };
}

function answerChallenge(secrets: AppSecrets | undefined, query: Readonly<Record<string, string>>): string | null {
  const token = query['hub.verify_token'];
  const challenge = query['hub.challenge'];
  if (!secrets || query['hub.mode'] !== 'subscribe' || token === undefined || challenge === undefined) return null;
  return challenge.length <= 256 && isSameSecret(token, secrets.verifyToken) ? challenge : null;
}

/** Webhooks come by the thousand: what is known is not waited for. */
function given<T, R>(value: OrLater<T>, use: (value: T) => R): OrLater<R> {
  return value instanceof Promise ? value.then(use) : use(value);
}
