import { holdBlocks, settleBlocks, takeDueBlocks } from '../actions/blocked-users.ts';
import type { Db } from '../db/pool.ts';
import {
  type BlockedPerson,
  type Blocker,
  type BlockOutcome,
  type BlockTask,
  MOST_BLOCKED,
} from '../domain/blocked-user.ts';
import { nextTelling, type RetrySettings } from '../domain/retry.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Signals } from '../signals/signals.ts';
import { HELD_FOR, whileHeld } from './while-held.ts';

/**
 * Tells WhatsApp whom its senders block, many people of one sender at once. What cannot be told now is tried again, ever more
 * rarely, and given up after some hours; the row says what came of it.
 */
export interface BlockedUsersOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'warn'>;
  blocker: Blocker;
  retry: RetrySettings;
  /** Opens the sealed access token of the task's sender. */
  openToken: (task: BlockTask & { access_token_sealed: Buffer }) => string;
  /** Milliseconds between looks for what no signal tells of. */
  pollInterval: number;
}

export function createBlockedUsers(options: BlockedUsersOptions): Part {
  const { db, signals, logger, blocker } = options;
  let unlisten = () => {};

  const rounds = createRounds({
    every: options.pollInterval,
    atOnce: true,
    async round(ending) {
      const tasks = await takeDueBlocks(db, MOST_BLOCKED, HELD_FOR);
      const calls = [...Map.groupBy(tasks, (task) => `${task.tenant_id} ${task.sender_id} ${task.blocked}`).values()];
      for (const [i, together] of calls.entries()) {
        // What was taken and not told is due again later.
        if (ending.aborted) return;
        await tellAndSettle(together, calls.slice(i).flat());
      }
      if (tasks.length === MOST_BLOCKED) rounds.wake();
    },
    failed: (error) => logger.warn({ error }, 'telling WhatsApp whom senders block failed'),
  });

  /** @param left all that are still to be told of, these included. */
  async function tellAndSettle(tasks: readonly BlockTask[], left: readonly BlockTask[]): Promise<void> {
    await failpoint('block.before_call');
    const outcomes = await whileHeld(
      () => holdBlocks(db, left, HELD_FOR),
      () => tell(tasks),
    );
    await failpoint('block.after_call');
    const settled = tasks.map((task, i) => {
      const outcome = outcomes[i] as BlockOutcome;
      const delay = nextTelling(outcome, task.tries, options.retry, Math.random());
      const confirmed = outcome.kind === 'done' ? true : delay === null ? false : null;
      return { ...task, confirmed, detail: outcome.kind === 'done' ? null : outcome.detail, delay };
    });
    const given = settled.filter(({ confirmed }) => confirmed === false).length;
    if (given > 0) {
      logger.warn({ sender_id: tasks[0]?.sender_id, people: given }, 'WhatsApp did not block, or unblock, customers');
    }
    await settleBlocks(db, settled);
    await failpoint('block.after_commit');
  }

  /** The outcomes in the order of the tasks, all of one sender. */
  async function tell(tasks: readonly BlockTask[]): Promise<BlockOutcome[]> {
    const [first] = tasks;
    if (first === undefined) return [];
    const { tenant_id, sender_id: id, phone_number_id, access_token_sealed, blocked } = first;
    if (phone_number_id === null || access_token_sealed === null) {
      return tasks.map(() => ({ kind: 'refused', detail: 'the sender is none of WhatsApp any more' }));
    }
    const people = tasks.map(personOf);
    try {
      const access_token = options.openToken({ ...first, access_token_sealed });
      const sender = { channel: 'whatsapp', tenant_id, id, phone_number_id, access_token } as const;
      const named = people.filter((person) => person !== null);
      const told = named.length === 0 ? [] : await blocker.tell(sender, blocked, named);
      let next = 0;
      return people.map((person) =>
        person === null
          ? { kind: 'refused', detail: 'the contact has neither a phone number nor a user id' }
          : (told[next++] as BlockOutcome),
      );
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      return tasks.map(() => ({ kind: 'later', detail, retryAfter: null }));
    }
  }

  return part(
    'blocked users',
    async () => {
      unlisten = signals.listen('blocked_users', rounds.wake);
      rounds.start();
    },
    async () => {
      unlisten();
      await rounds.stop();
      await blocker.close();
    },
  );
}

function personOf({ phone, user_id }: BlockTask): BlockedPerson | null {
  if (phone !== null) return { phone, user_id: null };
  return user_id === null ? null : { phone: null, user_id };
}
