import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { AccountChange, ApplyAccountChanges } from '../domain/account-change.ts';
import { categoryWord, statusOfEvent } from '../domain/template-words.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Signals } from '../signals/signals.ts';
import { makeNamedSyncsDue } from '../store/template-syncs.write.ts';
import { type ToldTemplate, tellTemplates } from '../store/templates.write.ts';

/** The fields of webhooks that tell of templates. */
const FIELDS = [
  'message_template_status_update',
  'message_template_quality_update',
  'message_template_components_update',
  'template_category_update',
] as const;

export interface TemplateChangesDeps {
  db: Db;
  signals: Signals;
  logger: Pick<Logger, 'warn' | 'info'>;
}

/** Milliseconds: changes come in flocks, and one reading of the templates answers them all. */
const GATHER = 1000;
/**
 * Webhooks that were tried again come in any order, and none says which one is the last: so what they say of a status is
 * read after them. Milliseconds; the Graph API lets an account be asked 200 times an hour.
 */
const CONFIRM = 20_000;

/** What a change says, or null when only reading the templates again can tell. */
type Reading = Pick<ToldTemplate, 'status' | 'reason' | 'quality' | 'category'> | null;

/**
 * What applies the changes that webhooks tell of templates, by their field: status, quality and category. What they name and is
 * not known here, or what they tell only in part, is read from the provider soon.
 */
export function createTemplateChanges(deps: TemplateChangesDeps): Record<string, ApplyAccountChanges> {
  const apply = applyTemplateChanges(deps);
  return Object.fromEntries(FIELDS.map((field) => [field, apply]));
}

function applyTemplateChanges({ db, signals, logger }: TemplateChangesDeps): ApplyAccountChanges {
  return async (changes) => {
    const flaws: string[] = [];
    const unclear: { app: string; account: string }[] = [];
    const told: { app: string; account: string }[] = [];
    let found = false;
    // One by one and in their order: what the later one says of a template holds.
    for (const change of changes) {
      const { app, account_id: account } = change;
      const named = nameOf(change);
      if (named === null) {
        flaws.push(`${change.field} names no template`);
        continue;
      }
      const reading = readingOf(change);
      if (reading === null) {
        unclear.push({ app, account });
        continue;
      }
      const news = { app, account, ...named, at: change.at, ...reading };
      const [template] = await retryingOnConflict(() => tellTemplates(db, [news]));
      if (!template) {
        unclear.push({ app, account });
        continue;
      }
      found = true;
      // What is deleted goes with the next reading, and its name is free then.
      if (reading.status === 'DELETED') unclear.push({ app, account });
      if (reading.status !== undefined) told.push({ app, account });
      const about = {
        tenant_id: template.tenant_id,
        account_id: account,
        template_name: named.name,
        language: named.language,
      };
      if (reading.status !== undefined && reading.status !== 'APPROVED') {
        logger.warn(
          { ...about, status: reading.status, reason: reading.reason },
          'WhatsApp changed the status of a template',
        );
      } else logger.info({ ...about, ...reading }, 'WhatsApp told of a template');
    }
    if (told.length > 0) await retryingOnConflict(() => makeNamedSyncsDue(db, told, CONFIRM));
    if (unclear.length > 0) await retryingOnConflict(() => makeNamedSyncsDue(db, unclear, GATHER));
    if (found) signals.notify('templates');
    return flaws;
  };
}

function nameOf({ value }: AccountChange): Pick<ToldTemplate, 'provider_id' | 'name' | 'language'> | null {
  const { message_template_id: id, message_template_name: name, message_template_language: language } = value;
  const told = typeof id === 'number' ? String(id) : id;
  if (typeof told !== 'string' || !/^[\d.e+]{1,25}$/.test(told) || !isWord(name) || !isWord(language)) return null;
  // Ids are numbers in webhooks and strings elsewhere: one beyond what a double holds exactly has lost its last digits.
  const provider_id = typeof id === 'number' && !Number.isSafeInteger(id) ? null : told;
  return { provider_id, name, language };
}

function readingOf({ field, value }: AccountChange): Reading {
  switch (field) {
    case 'message_template_status_update': {
      const status = statusOfEvent(value);
      return status === null ? null : { status, reason: reasonOf(value) };
    }
    case 'message_template_quality_update': {
      const { new_quality_score: quality } = value;
      return isWord(quality) ? { quality: quality.toUpperCase() } : null;
    }
    case 'template_category_update': {
      // With `correct_category` it is a warning of what will come.
      const category = categoryWord(value['new_category']);
      return category === null || value['correct_category'] !== undefined ? null : { category };
    }
    default:
      return null;
  }
}

/** Why, in WhatsApp's words: what a person can do something about goes before. */
function reasonOf(value: AccountChange['value']): string | null {
  const rejection = recordOf(value['rejection_info']);
  const other = recordOf(value['other_info']);
  const parts = [
    value['reason'],
    rejection['reason'],
    rejection['recommendation'],
    other['title'],
    other['description'],
  ];
  const words = parts.filter((part) => typeof part === 'string' && part !== '' && part !== 'NONE');
  return words.length === 0 ? null : words.join(': ').slice(0, 1000).toWellFormed().replaceAll('\0', '');
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,512}$/.test(value);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
