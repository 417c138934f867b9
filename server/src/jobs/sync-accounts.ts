import { adoptAccounts } from '../actions/accounts.ts';
import { type AccountToSync, recordAccountSync, takeDueAccounts } from '../actions/sync-accounts.ts';
import { tendSenderWork } from '../actions/tend-senders.ts';
import type { Db } from '../db/pool.ts';
import type { AccountAnswer, AccountAsk, AccountReader } from '../domain/account.ts';
import { failpoint } from '../runtime/failpoints.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Sealer } from '../runtime/sealer.ts';
import type { Signals } from '../signals/signals.ts';

/**
 * Keeps accounts fresh: what WhatsApp says of them, of their tokens and of their numbers is read when they are added, when a webhook
 * tells that something changed, and from time to time. Beside it, the due work of senders that were changed is looked after.
 */
export interface SyncAccountsOptions {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'info' | 'warn'>;
  reader: AccountReader;
  sealer: Sealer;
  /** Opens what the reader asks with. */
  open: (account: AccountToSync) => Pick<AccountAsk, 'access_token' | 'app'>;
  /** Milliseconds between two looks at an account that is well. */
  every: number;
  /** Milliseconds between two looks for what other instances were asked. */
  look?: number;
  random?: () => number;
}

const USUALLY_LOOK = 5_000;
/** Asked about at once. */
const TOGETHER = 8;
/** Milliseconds after which an account that was taken is anybody's again. To look at it twice does no harm. */
const TAKEN_FOR = 30_000;
/** A person is told so long before a token expires. Milliseconds. */
const WARNED = 14 * 86_400_000;

export function createSyncAccounts(options: SyncAccountsOptions): Part {
  const { db, signals, logger, reader, sealer, every, look = USUALLY_LOOK, random } = options;
  const deps = { db, signals, sealer, every, ...(random && { random }) };
  let unlisten = () => {};
  let adopted = false;

  async function ask(account: AccountToSync, ending: AbortSignal): Promise<AccountAnswer> {
    const { id, subscribe_wanted, subscribed } = account;
    try {
      return await reader.read({ id, subscribe_wanted, subscribed, ...options.open(account) }, ending);
    } catch (error) {
      return { kind: 'unknown', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  async function sync(account: AccountToSync, ending: AbortSignal): Promise<void> {
    await failpoint('account.before_call');
    const answer = await ask(account, ending);
    await failpoint('account.after_call');
    // Cut short it tells nothing: the account is due again when nobody has it any more.
    if (ending.aborted) return;
    await recordAccountSync(deps, account, answer);
    await failpoint('account.after_commit');
    tell(account, answer);
  }

  /** What is new to whoever reads the log. */
  function tell({ tenant_id, id, sync_detail: before }: AccountToSync, answer: AccountAnswer): void {
    const about = { tenant_id, account_id: id };
    if (answer.kind === 'read') {
      const { subscribe_detail: detail, token_expires_at: until } = answer.facts;
      if (detail !== null && detail !== before) logger.warn({ ...about, detail }, 'webhooks of an account');
      else if (before !== null && detail === null) logger.info(about, 'an account can be read again');
      if (until instanceof Date && until.getTime() < Date.now() + WARNED) {
        logger.warn(
          { ...about, expires_at: until },
          'the access token of an account expires soon: give it another one',
        );
      }
    } else if (answer.detail !== before) {
      logger.warn({ ...about, detail: answer.detail }, 'an account could not be read');
    }
  }

  const rounds = createRounds({
    every: look,
    atOnce: true,
    async round(ending) {
      if (!adopted) adopted = (await adoptAccounts(db, sealer)) === 0;
      const taken = await takeDueAccounts(db, TOGETHER, TAKEN_FOR);
      const failed = (await Promise.allSettled(taken.map((account) => sync(account, ending)))).find(
        ({ status }) => status === 'rejected',
      );
      if (taken.length === TOGETHER || !adopted) rounds.wake();
      if (failed?.status === 'rejected') throw failed.reason;
    },
    failed: (error) => logger.warn({ error }, 'looking at accounts failed'),
  });
  // Apart from what waits for WhatsApp: messages wait for this.
  const tending = createRounds({
    every: look,
    atOnce: true,
    async round(ending) {
      await tendSenderWork(db, signals, ending);
    },
    failed: (error) => logger.warn({ error }, 'looking after the work of changed senders failed'),
  });

  return part(
    'sync of accounts',
    async () => {
      unlisten = signals.listen('accounts', () => {
        tending.wake();
        rounds.wake();
      });
      tending.start();
      rounds.start();
    },
    async () => {
      unlisten();
      await Promise.all([rounds.stop(), tending.stop()]);
    },
  );
}
