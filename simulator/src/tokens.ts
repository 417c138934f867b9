import type { Clock } from './clock.ts';
import { BadInput, fieldsOf, optionalText, optionalTexts } from './input.ts';

const MAX_TOKENS = 10_000;

/** What is wrong with a token. */
export type TokenProblem = 'missing' | 'unknown' | 'revoked' | 'expired';

/** Which access tokens are good: every one that is not empty, until certain ones are required or one is revoked. */
export class Tokens {
  #required: ReadonlySet<string> | undefined;
  readonly #revoked = new Set<string>();
  /** When some end, in milliseconds since 1970 on the simulator's clock. The others never do. */
  readonly #expiries = new Map<string, number>();
  readonly #clock: Clock;

  /** With `required`, only these tokens are good. */
  constructor(clock: Clock, required: readonly string[] = []) {
    this.#clock = clock;
    if (required.length > 0) this.#required = new Set(required);
  }

  /** What is wrong with the token, or undefined when it is good. */
  problem(token: string | undefined): TokenProblem | undefined {
    if (token === undefined || token === '') return 'missing';
    if (this.#revoked.has(token)) return 'revoked';
    if (this.#expiries.size > 0 && (this.expiryOf(token) ?? Number.POSITIVE_INFINITY) <= this.#clock.now()) {
      return 'expired';
    }
    return this.#required === undefined || this.#required.has(token) ? undefined : 'unknown';
  }

  /** When the token ends, undefined when it never does. */
  expiryOf(token: string): number | undefined {
    return this.#expiries.get(token);
  }

  /**
   * Changes what is good: `{"require": [tokens]}` (an empty list: any again), `{"revoke": token}`, `{"restore": token}`,
   * `{"token", "expires_at"}` (an ISO 8601 time; null: never). Throws BadInput.
   */
  change(body: unknown): { required: number | null; revoked: number } {
    const fields = fieldsOf(body, ['require', 'revoke', 'restore', 'token', 'expires_at']);
    const token = optionalText(fields, 'token');
    if (token !== undefined) this.#expire(token, optionalText(fields, 'expires_at'));
    else if (fields.expires_at !== undefined) throw new BadInput('token', 'is missing beside expires_at');
    const require = optionalTexts(fields, 'require', MAX_TOKENS);
    const revoke = optionalText(fields, 'revoke');
    const restore = optionalText(fields, 'restore');
    if (require === undefined && revoke === undefined && restore === undefined && token === undefined) {
      throw new BadInput('body', 'must name at least one of require, revoke, restore, token');
    }
    if (revoke !== undefined && this.#revoked.size >= MAX_TOKENS) {
      throw new BadInput('revoke', `${MAX_TOKENS} tokens are revoked already; restore one or reset`);
    }
    if (require) this.#required = require.length === 0 ? undefined : new Set(require);
    if (revoke !== undefined) this.#revoked.add(revoke);
    if (restore !== undefined) this.#revoked.delete(restore);
    return { required: this.#required?.size ?? null, revoked: this.#revoked.size };
  }

  #expire(token: string, time: string | undefined): void {
    if (time === undefined) {
      this.#expiries.delete(token);
      return;
    }
    const at = Date.parse(time);
    if (Number.isNaN(at))
      throw new BadInput('expires_at', `must be a time such as 2026-11-21T08:00:00Z, got "${time}"`);
    if (this.#expiries.size >= MAX_TOKENS) throw new BadInput('token', `${MAX_TOKENS} tokens have an end already`);
    this.#expiries.set(token, at);
  }
}
