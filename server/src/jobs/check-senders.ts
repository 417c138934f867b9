import {
  type NumberFact,
  type NumberToCheck,
  recordNumberFacts,
  takeDueNumbers,
} from '../actions/check-connections.ts';
import type { Db } from '../db/pool.ts';
import type { Connection, ConnectionCheck } from '../domain/connection.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Signals } from '../signals/signals.ts';

/**
 * Learns from WhatsApp which numbers are connected: new and changed ones at once, the others from time to time. What is not
 * connected accepts nothing (`sender_not_connected`), so that it is known before a thousand messages wait for a token.
 */
export interface CheckSendersOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'info' | 'warn'>;
  channel: ConnectionCheck;
  /** Opens a sealed access token. */
  openToken: (number: NumberToCheck) => string;
  /** Milliseconds until a number is asked about again. */
  every: number;
  /** Milliseconds between two looks for numbers that other instances changed. */
  look?: number;
}

const USUALLY_LOOK = 5000;
/** Asked about at once. The Graph API limits calls an hour: there is no hurry. */
const TOGETHER = 10;

export function createCheckSenders(options: CheckSendersOptions): Part {
  const { db, signals, logger, channel, openToken, every, look = USUALLY_LOOK } = options;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let unlisten = () => {};
  let asked = false;

  async function ask(number: NumberToCheck): Promise<Connection> {
    try {
      return await channel.check({ phone_number_id: number.phone_number_id, access_token: openToken(number) });
    } catch (error) {
      return { kind: 'unknown', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  async function check(number: NumberToCheck): Promise<NumberFact> {
    const { tenant_id, id, access_token_sealed, connected: was } = number;
    const found = await ask(number);
    tell(number, found);
    return {
      tenant_id,
      id,
      access_token_sealed,
      was,
      connected: found.kind === 'unknown' ? null : found.kind === 'connected',
      detail: found.kind === 'connected' ? null : found.detail,
      phone: found.kind === 'connected' ? found.phone : null,
    };
  }

  function tell({ tenant_id, id, connected: was }: NumberToCheck, found: Connection): void {
    const about = { tenant_id, sender_id: id };
    if (found.kind === 'unknown')
      logger.warn({ ...about, detail: found.detail }, 'WhatsApp did not say whether a number is connected');
    else if (found.kind === 'not_connected' && was !== false) {
      logger.warn({ ...about, detail: found.detail }, 'a number is not connected, and accepts nothing');
    } else if (found.kind === 'connected' && was === false) logger.info(about, 'a number is connected again');
  }

  async function round(): Promise<void> {
    let taken: NumberToCheck[];
    do {
      asked = false;
      taken = await takeDueNumbers(db, every, TOGETHER);
      await recordNumberFacts(db, signals, await Promise.all(taken.map(check)));
    } while (!stopped && (asked || taken.length === TOGETHER));
  }

  let working = false;
  function begin(): void {
    if (stopped) return;
    asked = true;
    if (working) return;
    clearTimeout(timer);
    working = true;
    running = round()
      .catch((error: unknown) => logger.warn({ error }, 'looking at the connection of numbers failed'))
      .then(() => {
        working = false;
        if (!stopped) timer = setTimeout(begin, look);
      });
  }

  return part(
    'check of senders',
    async () => {
      unlisten = signals.listen('senders', begin);
      begin();
    },
    async () => {
      stopped = true;
      unlisten();
      clearTimeout(timer);
      await running;
    },
  );
}
