import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { TakenIntent, TemplateOutcome } from '../domain/template-provider.ts';
import { categoryWord } from '../domain/template-words.ts';
import type { Signals } from '../signals/signals.ts';
import { makeSyncDue } from '../store/template-syncs.write.ts';
import { postponeIntent, settleRefused, settleRemoved, settleTaken, takeIntents } from '../store/templates.write.ts';

/** Takes what the provider is to be told of templates now; see `takeIntents`. */
export function takeTemplateIntents(db: Db, limit: number, takenFor: number): Promise<TakenIntent[]> {
  return retryingOnConflict(() => takeIntents(db, limit, takenFor));
}

/** Holds an intent on while the provider is told of it. @param heldFor milliseconds from now. */
export function holdTemplateIntent(db: Db, intent: TakenIntent, heldFor: number): Promise<void> {
  return retryingOnConflict(() => postponeIntent(db, intent, heldFor, null));
}

/** What follows one try. `later`: it is tried again after `delay` milliseconds. */
export type IntentResult =
  | Exclude<TemplateOutcome, { kind: 'later' }>
  | { kind: 'later'; delay: number; detail: string };

/** Writes down what came of telling the provider of a template. */
export async function settleTemplateIntent(
  db: Db,
  signals: Signals,
  intent: TakenIntent,
  result: IntentResult,
): Promise<void> {
  await retryingOnConflict(() =>
    db.transaction(async (tx) => {
      switch (result.kind) {
        case 'later':
          await postponeIntent(tx, intent, result.delay, result.detail);
          return;
        case 'refused':
          await settleRefused(tx, intent, result.refusal);
          return;
        case 'taken': {
          if (intent.intent === 'delete') {
            await settleRemoved(tx, intent);
            return;
          }
          const { category, components = null } = intent.intent === 'edit' ? intent.intent_payload : { category: null };
          await settleTaken(tx, intent, {
            provider_id: result.provider_id,
            status: result.status,
            category: categoryWord(result.category) ?? category ?? null,
            components,
            at: intent.taken_at,
          });
          // What an edit made of it, or a pause that has ended (its status, for one), only the provider can say.
          if (intent.intent !== 'create') await makeSyncDue(tx, intent.tenant_id, intent.account_id);
        }
      }
    }),
  );
  signals.notify('templates');
  signals.notify(`template:${intent.id}`);
}
