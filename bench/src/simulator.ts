import { start } from './child.ts';
import { openLoad } from './load.ts';

/** The provider of both sides: the project's simulator as a program of its own, so that it outlives who uses it. */
export interface Simulator extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** How many messages it has really accepted. */
  accepted(): Promise<number>;
  /** The messages after the `after`th, in order: a page of at most 1,000. */
  ledger(after: number): Promise<LedgerPage>;
  /**
   * How it treats messages from now on: silent, it says nothing of them, and answers their sends so many milliseconds late;
   * else so many statuses travel in a webhook.
   */
  change(behaviour: { silent: true; slowMs?: number } | { together: number }): Promise<void>;
  /** Makes numbers in portfolios of their own; gives their ids. */
  makeNumbers(count: number): Promise<string[]>;
  /** Posts its webhooks here from now on. */
  register(url: string, secret: string): Promise<void>;
  /** Lets a customer do something (docs/simulator.md, Customers); gives the id of his message. */
  customerDoes(act: Record<string, unknown>): Promise<string>;
  /** Any of its own routes (docs/simulator.md), without `/_simulator/`. @throws {Error} unless it answers 200 */
  control(method: ControlMethod, path: string, body?: unknown): Promise<unknown>;
  /** Whether it has told all it has to tell, and been heard. */
  quiet(): Promise<boolean>;
  /** Lets a customer write to the default number. */
  customerWrites(from: string, text: string): Promise<void>;
}

type ControlMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One message as the provider took it. */
export interface LedgerEntry {
  n: number;
  wamid: string;
  phone_number_id: string;
  to: string;
  type: string;
  opaque: string | null;
  received_at: string;
  body: Record<string, unknown>;
}

export interface LedgerPage {
  messages: LedgerEntry[];
  total: number;
  /** The `after` of the following page; null: this one is empty. */
  next: number | null;
}

const PAGE = 1000;
/** Ids of the numbers that `makeNumbers` makes count from here. */
const FIRST_NUMBER = 200_000_000_000_000;

/** Starts one on a free port. It ends with this process, however that ends. */
export async function startSimulator(): Promise<Simulator> {
  const child = await start('simulator/src/main.ts', ['--port', '0', '--exit-with-parent'], {
    ready: /^simulator ready (http:\/\/\S+)$/m,
    deadlineMs: 15_000,
  });
  const load = openLoad(child.url, 16);
  const control = async (method: ControlMethod, path: string, body?: unknown): Promise<unknown> => {
    const answer = await load.ask(`/_simulator/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status !== 200) {
      throw new Error(`the simulator answered ${answer.status} to ${path}: ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  };
  return {
    url: child.url,
    pid: child.pid,
    accepted: async () => ((await control('GET', 'stats')) as { accepted: number }).accepted,
    ledger: async (after) => (await control('GET', `messages?after=${after}&limit=${PAGE}`)) as LedgerPage,
    async change(behaviour) {
      if ('silent' in behaviour) {
        const lost = { kind: 'webhook_lost', kinds: ['sent', 'delivered', 'read'] };
        const slow = behaviour.slowMs ? [{ kind: 'slow', delay: behaviour.slowMs }] : [];
        await control('PUT', 'faults', { rules: [lost, ...slow] });
      } else {
        await control('DELETE', 'faults');
        await control('PUT', 'settings', { statuses_per_webhook: behaviour.together });
      }
    },
    async makeNumbers(count) {
      const ids = Array.from({ length: count }, (_, i) => String(FIRST_NUMBER + i));
      for (const id of ids) await control('POST', 'numbers', { phone_number_id: id, portfolio_id: id });
      return ids;
    },
    async register(url, secret) {
      await control('POST', 'webhooks', { url, app_secret: secret, verify_token: 'any' });
    },
    control,
    customerDoes: async (act) => ((await control('POST', 'inbound', act)) as { wamid: string }).wamid,
    async quiet() {
      const { statuses_ahead, webhooks } = (await control('GET', 'stats')) as {
        statuses_ahead: number;
        webhooks: { pending: number; in_flight: number };
      };
      return statuses_ahead === 0 && webhooks.pending === 0 && webhooks.in_flight === 0;
    },
    async customerWrites(from, text) {
      await control('POST', 'inbound', { from, text });
    },
    async [Symbol.asyncDispose]() {
      await load[Symbol.asyncDispose]();
      await child.stop();
    },
  };
}

/** All it accepted after the `after`th. */
export async function wholeLedger(simulator: Simulator, after = 0): Promise<LedgerEntry[]> {
  const all: LedgerEntry[] = [];
  for (let at = after; ; ) {
    const { messages, next } = await simulator.ledger(at);
    all.push(...messages);
    if (next === null) return all;
    at = next;
  }
}
