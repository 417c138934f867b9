import type { Plan, Treatment } from './plan.ts';

/**
 * Recipients that call a fault by their number: +1 999 and seven digits. Area codes with a 9 in the middle are kept back
 * by the North American plan, so that none of these can be anybody's phone. The table is in docs/simulator.md.
 */
const MAGIC = /^\+?1999(\d)(\d{6})$/;

/** Recipients whose first message met its fault, so that the next one passes. */
const MAX_MET = 100_000;

const WEBHOOKS: Readonly<Record<string, Plan['webhooks']>> = {
  '0': [{ kind: 'webhook_lost' }],
  '1': [{ kind: 'webhook_lost', kinds: ['delivered'] }],
  '2': [{ kind: 'webhook_lost', kinds: ['read'] }],
  '3': [{ kind: 'webhook_duplicate', times: 2 }],
  '4': [{ kind: 'webhook_reorder' }],
  '5': [{ kind: 'webhook_delay', delay: 10_000 }],
  '6': [{ kind: 'webhook_never_retried' }],
};

const CONNECTIONS: Readonly<Record<string, Treatment>> = {
  '0': { kind: 'cut_before' },
  '1': { kind: 'cut_after' },
  '2': { kind: 'garbage', accepted: true },
  '3': { kind: 'garbage', accepted: false },
};

/** Reads magic numbers. Remembers which of the "first time only" ones had their first time. */
export class MagicNumbers {
  readonly #met = new Set<string>();

  /** What the recipient's number asks for, or undefined when it is an ordinary number. */
  plan(recipient: string): Plan | undefined {
    const match = MAGIC.exec(recipient);
    if (!match) return undefined;
    const [, block = '', rest = ''] = match;
    const value = Number(rest);
    switch (block) {
      case '0':
        return { treatment: { kind: 'error', code: value }, webhooks: [] };
      case '1':
        return { treatment: { kind: 'failed', code: value }, webhooks: [] };
      case '2':
        return this.#once(recipient, { kind: 'error', code: value });
      case '3':
        return { treatment: { kind: 'slow', delay: value }, webhooks: [] };
      case '4': {
        const status = Number(rest.slice(0, 3));
        return status >= 400 && status <= 599
          ? { treatment: { kind: 'server_error', status }, webhooks: [] }
          : undefined;
      }
      case '5': {
        const treatment = CONNECTIONS[rest.charAt(0)];
        return treatment && { treatment, webhooks: [] };
      }
      case '6': {
        const treatment = CONNECTIONS[rest.charAt(0)];
        return treatment && this.#once(recipient, treatment);
      }
      case '7': {
        const webhooks = WEBHOOKS[rest.charAt(0)];
        return webhooks && { webhooks };
      }
      default:
        return undefined;
    }
  }

  clear(): void {
    this.#met.clear();
  }

  #once(recipient: string, treatment: Treatment): Plan | undefined {
    if (this.#met.has(recipient)) return undefined;
    if (this.#met.size >= MAX_MET) this.#met.clear();
    this.#met.add(recipient);
    return { treatment, webhooks: [] };
  }
}
