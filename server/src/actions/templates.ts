import type { Db, Queryable } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import { AldisError } from '../domain/errors.ts';
import { type MediaId, newId, type TemplateId, type TenantId } from '../domain/ids.ts';
import type { ParameterFormat, TemplateCategory, TemplateDefinition } from '../domain/template-definition.ts';
import { EDIT_LIMITS, EDITABLE_STATUSES } from '../domain/template-limits.ts';
import type { IntentPayload } from '../domain/template-provider.ts';
import { checkDefinition, checkTimeToLive } from '../domain/template-rules.ts';
import { samplesOf } from '../domain/template-samples.ts';
import type { Signals } from '../signals/signals.ts';
import { findMedia } from '../store/media.read.ts';
import { makeSyncDue } from '../store/template-syncs.write.ts';
import { findTemplate, findTemplateEdits, type TemplateRecord } from '../store/templates.read.ts';
import { deleteTemplate, insertTemplate, replaceDefinition, writeIntent } from '../store/templates.write.ts';

/** What people do with templates. Each is checked wholly here and written down; a job tells the provider. */
export interface TemplateActions {
  /**
   * @throws {AldisError} `missing_field`, `invalid_field`: WhatsApp would not take it; `already_exists`.
   */
  create(tenant: TenantId, account: string, template: NewTemplate): Promise<TemplateRecord>;
  /** @throws {AldisError} the same, `not_found`, `template_not_editable`. */
  edit(tenant: TenantId, id: string, edit: TemplateEdit): Promise<TemplateRecord>;
  /**
   * Deletes a template, by the provider first. null: it is gone, for the provider never had it.
   * @throws {AldisError} `not_found`, `template_not_editable`
   */
  remove(tenant: TenantId, id: string): Promise<TemplateRecord | null>;
  /** Asks the provider to end a template's pause. @throws {AldisError} `not_found`, `template_not_editable` */
  unpause(tenant: TenantId, id: string): Promise<TemplateRecord>;
  /** Lets an account's templates be read now. @throws {AldisError} `not_found` */
  sync(tenant: TenantId, account: string): Promise<void>;
}

export interface NewTemplate {
  name: string;
  language: string;
  category: TemplateCategory;
  parameter_format?: ParameterFormat;
  components: readonly unknown[];
  /** Whether WhatsApp may give it another category than the one asked for. */
  allow_category_change?: boolean;
  /** How long it tries to deliver. */
  message_send_ttl_seconds?: number;
}

/** What is absent stays; components are replaced as a whole. */
export interface TemplateEdit {
  category?: TemplateCategory;
  components?: readonly unknown[];
  message_send_ttl_seconds?: number;
}

export interface TemplateDeps {
  db: Db;
  signals: Signals;
}

export function createTemplates({ db, signals }: TemplateDeps): TemplateActions {
  async function write<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const result = await retryingOnConflict(() => db.transaction(work));
    signals.notify('templates');
    return result;
  }

  return {
    create(tenant, account, { components, parameter_format = 'POSITIONAL', ...template }) {
      const { name, language, category, allow_category_change, message_send_ttl_seconds: ttl } = template;
      const definition: TemplateDefinition = {
        name,
        language,
        category,
        parameter_format,
        components: checkDefinition(components, { category, parameter_format }),
      };
      const payload: IntentPayload = {
        ...(allow_category_change !== undefined && { allow_category_change }),
        ...timeToLive(ttl, category),
      };
      return write(async (tx) => {
        await ensureSamples(tx, tenant, definition.components);
        const id = await insertTemplate(tx, tenant, account, newId<TemplateId>(), definition, payload);
        if (id === null) {
          const text = `The account ${account} has a template ${name} (${language}) already.`;
          throw new AldisError('already_exists', text, { field: 'name' });
        }
        return written(await findTemplate(tx, tenant, id));
      });
    },

    edit(tenant, id, edit) {
      return write(async (tx) => {
        const before = await found(tx, tenant, id);
        ensureFree(before);
        const { parameter_format } = before;
        const category = edit.category ?? before.category;
        const ttl = timeToLive(edit.message_send_ttl_seconds, category);
        const components =
          edit.components === undefined ? undefined : checkDefinition(edit.components, { category, parameter_format });
        if (components !== undefined) await ensureSamples(tx, tenant, components);
        if (before.status === 'REFUSED' && before.provider_id === null) {
          await replaceDefinition(tx, tenant, before.id, category, components ?? before.components);
          await writeIntent(tx, tenant, before.id, 'create', ttl);
        } else {
          await ensureEditable(tx, tenant, before, edit);
          const payload: IntentPayload = {
            ...(edit.category !== undefined && { category }),
            ...(components !== undefined && { components }),
            ...ttl,
          };
          await writeIntent(tx, tenant, before.id, 'edit', payload);
        }
        return written(await findTemplate(tx, tenant, before.id));
      });
    },

    remove(tenant, id) {
      return write(async (tx) => {
        const before = await found(tx, tenant, id);
        ensureFree(before);
        if (before.provider_id === null) {
          await deleteTemplate(tx, tenant, before.id);
          return null;
        }
        await writeIntent(tx, tenant, before.id, 'delete', {});
        return written(await findTemplate(tx, tenant, before.id));
      });
    },

    unpause(tenant, id) {
      return write(async (tx) => {
        const before = await found(tx, tenant, id);
        ensureFree(before);
        if (before.status !== 'PAUSED') {
          throw notEditable(`The template is ${before.status}, not PAUSED.`, { status: before.status });
        }
        await writeIntent(tx, tenant, before.id, 'unpause', {});
        return written(await findTemplate(tx, tenant, before.id));
      });
    },

    async sync(tenant, account) {
      const known = await retryingOnConflict(() => makeSyncDue(db, tenant, account));
      if (!known) throw new AldisError('not_found', 'There is no account of that id.', { field: 'account_id' });
      signals.notify('templates');
    },
  };
}

function timeToLive(seconds: number | undefined, category: TemplateCategory): IntentPayload {
  if (seconds === undefined) return {};
  checkTimeToLive(seconds, category, 'message_send_ttl_seconds');
  return { message_send_ttl_seconds: seconds };
}

/** What a header that is a file is of. */
const KINDS: Readonly<Record<string, string>> = { IMAGE: 'image', VIDEO: 'video', DOCUMENT: 'document' };

/** Files that a definition names as samples have to be there, and of the kind of their header. */
async function ensureSamples(
  tx: Queryable,
  tenant: TenantId,
  components: TemplateDefinition['components'],
): Promise<void> {
  const samples = samplesOf(components);
  if (samples.length === 0) return;
  const files = await findMedia(tx, tenant, samples.map(({ media_id }) => media_id) as MediaId[]);
  for (const { media_id, format, field } of samples) {
    const file = files.find(({ id }) => id === media_id);
    if (!file) throw new AldisError('invalid_field', `${field} names no stored file.`, { field });
    if (file.kind !== KINDS[format]) {
      const text = `${field} names a file of kind ${file.kind}; the header is of format ${format}.`;
      throw new AldisError('invalid_field', text, { field });
    }
  }
}

async function found(tx: Queryable, tenant: TenantId, id: string): Promise<TemplateRecord> {
  const template = await findTemplate(tx, tenant, id);
  if (template === null) throw new AldisError('not_found', 'There is no template of that id.', { field: 'id' });
  return template;
}

/** One thing at a time: what the provider is still to be told comes first. */
function ensureFree({ intent }: TemplateRecord): void {
  if (intent === null) return;
  throw notEditable(`WhatsApp is still to be told of the last change (${intent}); try again when it is.`, { intent });
}

/** WhatsApp's rules for edits (templates/template-management), as far as they can be known here. */
async function ensureEditable(
  tx: Queryable,
  tenant: TenantId,
  { id, status, category }: TemplateRecord,
  edit: TemplateEdit,
): Promise<void> {
  if (!EDITABLE_STATUSES.includes(status)) {
    throw notEditable(`The template is ${status}; WhatsApp lets ${EDITABLE_STATUSES.join(', ')} ones be edited.`, {
      status,
    });
  }
  if (status !== 'APPROVED') return;
  if (edit.category !== undefined && edit.category !== category) {
    throw new AldisError('invalid_field', `category must stay ${category}: the template is approved.`, {
      field: 'category',
    });
  }
  const ages = await findTemplateEdits(tx, tenant, id);
  for (const { most, span, word } of EDIT_LIMITS) {
    if (ages.filter((age) => age < span).length >= most) {
      throw notEditable(`An approved template can be edited ${most === 1 ? 'once' : `${most} times`} in ${word}.`, {
        limit: most,
      });
    }
  }
}

function notEditable(text: string, details: Record<string, unknown>): AldisError {
  return new AldisError('template_not_editable', text, { details });
}

function written(row: TemplateRecord | null): TemplateRecord {
  if (row === null) throw new Error('a template that was just written is not there');
  return row;
}
