import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { newId, type TemplateId } from '../domain/ids.ts';
import type { DueSync, ProviderTemplate } from '../domain/template-provider.ts';
import { categoryWord } from '../domain/template-words.ts';
import type { Signals } from '../signals/signals.ts';
import { settleSync, takeDueSyncs } from '../store/template-syncs.write.ts';
import { deleteGoneTemplates, upsertTemplates } from '../store/templates.write.ts';

/** Takes accounts whose templates are to be read now; see `takeDueSyncs`. */
export function takeDueTemplateSyncs(db: Db, limit: number, takenFor: number): Promise<DueSync[]> {
  return retryingOnConflict(() => takeDueSyncs(db, limit, takenFor));
}

/** Rows of one statement. */
const MOST_TOGETHER = 200;

/**
 * Writes the templates of an account as the provider has them: new and changed ones, and without those that are gone.
 * @param delay milliseconds until they are read again.
 * @returns how many were new, changed or gone.
 */
export async function recordTemplates(
  db: Db,
  signals: Signals,
  sync: DueSync,
  templates: readonly ProviderTemplate[],
  delay: number,
): Promise<number> {
  const { tenant_id: tenant, id: account, taken_at: at } = sync;
  // One of each name and language, whatever the pages had: those that were read last.
  const named = new Map(templates.map((template) => [`${template.name}\n${template.language}`, template]));
  const rows = [...named.values()].map((template) => ({
    ...template,
    id: newId<TemplateId>(),
    // A category that is not known here costs as much care as the dearest.
    category: categoryWord(template.category) ?? 'marketing',
  }));
  let changed = 0;
  for (let start = 0; start < rows.length; start += MOST_TOGETHER) {
    const part = rows.slice(start, start + MOST_TOGETHER);
    changed += await retryingOnConflict(() => upsertTemplates(db, tenant, account, at, part));
  }
  const there = rows.map(({ provider_id }) => provider_id);
  changed += await retryingOnConflict(() => deleteGoneTemplates(db, tenant, account, there, at));
  await retryingOnConflict(() => settleSync(db, sync, true, delay));
  signals.notify('templates');
  return changed;
}

/** Writes down that an account's templates could not be read. @param delay milliseconds until the next try. */
export async function recordSyncFailure(db: Db, sync: DueSync, delay: number): Promise<void> {
  await retryingOnConflict(() => settleSync(db, sync, false, delay));
}
