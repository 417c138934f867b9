import { BadInput, fieldsOf, optionalText, optionalTexts } from './input.ts';

const MAX_TOKENS = 10_000;

/** Which access tokens are good: every one that is not empty, until certain ones are required or one is revoked. */
export class Tokens {
  #required: ReadonlySet<string> | undefined;
  readonly #revoked = new Set<string>();

  /** With `required`, only these tokens are good. */
  constructor(required: readonly string[] = []) {
    if (required.length > 0) this.#required = new Set(required);
  }

  /** What is wrong with the token, or undefined when it is good. */
  problem(token: string | undefined): 'missing' | 'unknown' | 'revoked' | undefined {
    if (token === undefined || token === '') return 'missing';
    if (this.#revoked.has(token)) return 'revoked';
    return this.#required === undefined || this.#required.has(token) ? undefined : 'unknown';
  }

  /**
   * Changes what is good: `{"require": [tokens]}` (an empty list: any again), `{"revoke": token}`, `{"restore": token}`.
   * Throws BadInput.
   */
  change(body: unknown): { required: number | null; revoked: number } {
    const fields = fieldsOf(body, ['require', 'revoke', 'restore']);
    const require = optionalTexts(fields, 'require', MAX_TOKENS);
    const revoke = optionalText(fields, 'revoke');
    const restore = optionalText(fields, 'restore');
    if (require === undefined && revoke === undefined && restore === undefined) {
      throw new BadInput('body', 'must name at least one of require, revoke, restore');
    }
    if (revoke !== undefined && this.#revoked.size >= MAX_TOKENS) {
      throw new BadInput('revoke', `${MAX_TOKENS} tokens are revoked already; restore one or reset`);
    }
    if (require) this.#required = require.length === 0 ? undefined : new Set(require);
    if (revoke !== undefined) this.#revoked.add(revoke);
    if (restore !== undefined) this.#revoked.delete(restore);
    return { required: this.#required?.size ?? null, revoked: this.#revoked.size };
  }
}
