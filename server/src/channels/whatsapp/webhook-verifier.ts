import { type Hmac, hmacSha256 } from './hmac.ts';
import { isSameSecret, isSignedBy } from './signature.ts';

/** The secrets of one Meta app. */
export interface AppSecrets {
  appSecret: string;
  verifyToken: string;
}

/** Judges webhooks before anything reads them. */
export interface Verifier {
  /** Judges raw bytes by the `X-Hub-Signature-256` header. */
  verify(app: string, body: Buffer, signature: string | undefined): 'valid' | 'invalid' | 'unknown_app';
  /**
   * Answers Meta's question whether an address is ours: the challenge, or null when it asks wrongly
   * (Meta's page webhooks/create-webhook-endpoint).
   */
  challenge(app: string, query: Readonly<Record<string, string>>): string | null;
}

/** @param secretsOf the secrets of an app, undefined when there is no such app. Others are another object. */
export function createVerifier(secretsOf: (app: string) => AppSecrets | undefined): Verifier {
  const macs = new WeakMap<AppSecrets, Hmac>();
  function macOf(secrets: AppSecrets): Hmac {
    const known = macs.get(secrets);
    if (known) return known;
    const mac = hmacSha256(secrets.appSecret);
    macs.set(secrets, mac);
    return mac;
  }
  return {
    verify(app, body, signature) {
      const secrets = secretsOf(app);
      if (!secrets) return 'unknown_app';
      return isSignedBy(macOf(secrets), body, signature) ? 'valid' : 'invalid';
    },
    challenge(app, query) {
      const secrets = secretsOf(app);
      const token = query['hub.verify_token'];
      const challenge = query['hub.challenge'];
      if (!secrets || query['hub.mode'] !== 'subscribe' || token === undefined || challenge === undefined) return null;
      return challenge.length <= 256 && isSameSecret(token, secrets.verifyToken) ? challenge : null;
    },
  };
}
