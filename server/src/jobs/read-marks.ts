import { settleReadMarks, takeDueReadMarks } from '../actions/read-marks.ts';
import type { Db } from '../db/pool.ts';
import { nextReadMark, type ReadMark, type ReadMarker, type ReadMarkOutcome } from '../domain/read-mark.ts';
import type { RetrySettings } from '../domain/retry.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Signals } from '../signals/signals.ts';

/**
 * Tells WhatsApp which customers' messages were read. A mark that cannot be told now is tried again, ever more rarely, and given
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
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let unlisten = () => {};

  async function round(): Promise<void> {
    for (;;) {
      again = false;
      const marks = await takeDueReadMarks(db, TOGETHER, TAKEN_FOR);
      const settled = await Promise.all(marks.map(async (mark) => ({ ...mark, delay: await tell(mark) })));
      await settleReadMarks(db, settled);
      if (stopped || (marks.length < TOGETHER && !again)) return;
    }
  }

  /** Milliseconds until the next try; null: there is none. */
  async function tell(mark: ReadMark): Promise<number | null> {
    const outcome = await call(mark);
    if (outcome.kind === 'told') return null;
    const delay = nextReadMark(outcome, mark.tries, options.retry, Math.random());
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
      return await marker.markRead({ channel: 'whatsapp', tenant_id, id, phone_number_id, access_token }, mark.wamid);
    } catch (error) {
      return { kind: 'later', detail: error instanceof Error ? error.message : String(error), retryAfter: null };
    }
  }

  function begin(): void {
    again = true;
    if (running || stopped) return;
    clearTimeout(timer);
    running = round()
      .catch((error: unknown) => logger.warn({ error }, 'telling WhatsApp what was read failed'))
      .then(() => {
        running = null;
        if (!stopped) timer = setTimeout(begin, options.pollInterval);
      });
  }

  return part(
    'read marks',
    async () => {
      unlisten = signals.listen('read_marks', begin);
      begin();
    },
    async () => {
      stopped = true;
      unlisten();
      clearTimeout(timer);
      await running;
      await marker.close();
    },
  );
}
