import { settleReadMarks, takeDueReadMarks } from '../actions/read-marks.ts';
import type { Db } from '../db/pool.ts';
import type { ReadMark, ReadMarker, ReadMarkOutcome } from '../domain/read-mark.ts';
import { nextTelling, type RetrySettings } from '../domain/retry.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';

/**
 * Tells WhatsApp which customers' messages were read, and to whom an answer is being written. A mark that cannot be told now is tried again, ever more rarely, and given
 * up after some hours; the message stays read here in any case.
 */
export interface ReadMarksOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'warn' | 'debug'>;
  marker: ReadMarker;
  retry: RetrySettings;
  /** Opens the sealed access token of the mark's sender. */
  openToken: (mark: ReadMark & { access_token_sealed: Buffer }) => string;
  /** Milliseconds between looks for what no signal tells of. */
  pollInterval: number;
}

/** Most calls at once. */
const TOGETHER = 16;
/** Milliseconds after which a mark that was taken is anybody's again. Longer than any call takes. */
const TAKEN_FOR = 150_000;

export function createReadMarks(options: ReadMarksOptions): Part {
  const { db, signals, logger, marker } = options;
  let unlisten = () => {};

  const rounds = createRounds({
    every: options.pollInterval,
    atOnce: true,
    async round() {
      const marks = await takeDueReadMarks(db, TOGETHER, TAKEN_FOR);
      const settled = await Promise.all(marks.map(async (mark) => ({ ...mark, delay: await tell(mark) })));
      await settleReadMarks(db, settled);
      if (marks.length === TOGETHER) rounds.wake();
    },
    failed: (error) => logger.warn({ error }, 'telling WhatsApp what was read failed'),
  });

  /** Milliseconds until the next try; null: there is none. */
  async function tell(mark: ReadMark): Promise<number | null> {
    const outcome = await call(mark);
    if (outcome.kind === 'told') return null;
    const delay = nextTelling(outcome, mark.tries, options.retry, Math.random());
    const about = { message_id: mark.message_id, sender_id: mark.sender_id, detail: outcome.detail };
    if (delay === null) logger.warn(about, 'WhatsApp could not be told that a message was read');
    else logger.debug(about, 'WhatsApp is told later that a message was read');
    return delay;
  }

  async function call(mark: ReadMark): Promise<ReadMarkOutcome> {
    const { tenant_id, sender_id: id, phone_number_id, access_token_sealed } = mark;
    if (phone_number_id === null || access_token_sealed === null) {
      return { kind: 'refused', detail: 'the sender is none of WhatsApp any more' };
    }
    try {
      const access_token = options.openToken({ ...mark, access_token_sealed });
      const sender = { channel: 'whatsapp', tenant_id, id, phone_number_id, access_token } as const;
      return await marker.markRead(sender, mark.wamid, mark.typing);
    } catch (error) {
      return { kind: 'later', detail: error instanceof Error ? error.message : String(error), retryAfter: null };
    }
  }

  return part(
    'read marks',
    async () => {
      unlisten = signals.listen('read_marks', rounds.wake);
      rounds.start();
    },
    async () => {
      unlisten();
      await rounds.stop();
      await marker.close();
    },
  );
}
