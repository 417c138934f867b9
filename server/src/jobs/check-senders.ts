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
import { createRounds } from '../runtime/rounds.ts';
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
  let unlisten = () => {};

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

  const rounds = createRounds({
    every: look,
    atOnce: true,
    async round() {
      const taken = await takeDueNumbers(db, every, TOGETHER);
      await recordNumberFacts(db, signals, await Promise.all(taken.map(check)));
      if (taken.length === TOGETHER) rounds.wake();
    },
    failed: (error) => logger.warn({ error }, 'looking at the connection of numbers failed'),
  });

  return part(
    'check of senders',
    async () => {
      unlisten = signals.listen('senders', rounds.wake);
      rounds.start();
    },
    async () => {
      unlisten();
      await rounds.stop();
    },
  );
}
