import { jsons, texts, times, uuids } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import type { TemplateId, TenantId } from '../domain/ids.ts';
import { jsonText } from '../domain/json-text.ts';
import type { TemplateDefinition } from '../domain/template-definition.ts';
import type {
  IntentKey,
  IntentPayload,
  ProviderTemplate,
  TakenIntent,
  TemplateIntent,
  TemplateRefusal,
} from '../domain/template-provider.ts';

/** Writes of templates: what people want of them, and what came of telling the provider. */

const insert = {
  name: 'templates_insert',
  text: `
insert into templates (tenant_id, account_id, id, name, language, status, category, parameter_format, components, intent,
  intent_payload, intent_due_at)
values ($1, $2, $3, $4, $5, 'SUBMITTING', $6, $7, $8, 'create', $9, clock_timestamp())
on conflict (tenant_id, account_id, name, language) do update set status = 'SUBMITTING', category = excluded.category,
  parameter_format = excluded.parameter_format, components = excluded.components, reason = null, refusal = null,
  intent = 'create', intent_payload = excluded.intent_payload, intent_due_at = excluded.intent_due_at, intent_tries = 0,
  updated_at = clock_timestamp()
where templates.status = 'REFUSED' and templates.provider_id is null and templates.intent is null
returning id`,
};

/**
 * Makes a template that is to be submitted. One of that name and language that the provider refused is made anew.
 * @returns its id; null: there is one of that name and language.
 */
export async function insertTemplate(
  tx: Queryable,
  tenant: TenantId,
  account: string,
  id: TemplateId,
  { name, language, category, parameter_format, components }: TemplateDefinition,
  payload: IntentPayload,
): Promise<TemplateId | null> {
  const values = [tenant, account, id, name, language, category, parameter_format];
  const [row] = await tx.query<{ id: TemplateId }>(insert, [...values, jsonText(components), jsonText(payload)]);
  return row?.id ?? null;
}

const intend = {
  name: 'templates_intend',
  text: `
update templates set intent = $3, intent_payload = $4, intent_due_at = clock_timestamp(), intent_tries = 0, refusal = null,
  status = case when $3 = 'create' then 'SUBMITTING' else status end, updated_at = clock_timestamp()
where tenant_id = $1 and id = $2 and intent is null
returning id`,
};

/** Writes down what the provider is to be told of a template. @returns false: it is still to be told something else. */
export async function writeIntent(
  tx: Queryable,
  tenant: TenantId,
  id: TemplateId,
  intent: TemplateIntent,
  payload: IntentPayload,
): Promise<boolean> {
  return (await tx.query<object>(intend, [tenant, id, intent, jsonText(payload)])).length === 1;
}

const replaceUnsent = {
  name: 'templates_replace_refused',
  text: `update templates set category = $3, components = $4 where tenant_id = $1 and id = $2`,
};

/** Changes a template that the provider never had: there is nobody else to ask. */
export async function replaceDefinition(
  tx: Queryable,
  tenant: TenantId,
  id: TemplateId,
  category: string,
  components: readonly object[],
): Promise<void> {
  await tx.query(replaceUnsent, [tenant, id, category, jsonText(components)]);
}

const remove = { name: 'templates_delete', text: `delete from templates where tenant_id = $1 and id = $2` };

/** Forgets a template. */
export async function deleteTemplate(tx: Queryable, tenant: TenantId, id: TemplateId): Promise<void> {
  await tx.query(remove, [tenant, id]);
}

const takeIntentsStatement = {
  name: 'templates_take_intents',
  text: `
with x as materialized (
  select tenant_id, id from templates where intent is not null and intent_due_at <= now()
  order by intent_due_at limit $1 for update skip locked
), t as (
  update templates t set intent_tries = t.intent_tries + 1, intent_due_at = clock_timestamp() + $2 * interval '1 ms'
  from x where t.tenant_id = x.tenant_id and t.id = x.id
  returning t.*
)
select t.tenant_id, t.account_id, t.id, t.provider_id, t.name, t.language, t.category, t.parameter_format, t.components,
  t.intent, t.intent_payload, t.intent_tries as tries, clock_timestamp() as taken_at, a.access_token_sealed,
  p.meta_app_id
from t left join accounts a on a.tenant_id = t.tenant_id and a.id = t.account_id left join apps p on p.id = a.app_id`,
};

/** Takes what the provider is to be told now, at most `limit`. It is due again after `takenFor` milliseconds. */
export function takeIntents(tx: Queryable, limit: number, takenFor: number): Promise<TakenIntent[]> {
  return tx.query<TakenIntent>(takeIntentsStatement, [limit, takenFor]);
}

const taken = {
  name: 'templates_intent_taken',
  text: `
update templates set intent = null, intent_payload = null, intent_due_at = null, intent_tries = 0, refusal = null,
  provider_id = coalesce($5, provider_id),
  -- A webhook may have told more since the call began.
  status = case when $6::text is not null and coalesce(status_at <= $7, true) then $6 else status end,
  reason = case when $3 = 'create' and coalesce(status_at <= $7, true) then null else reason end,
  status_at = case when $6::text is not null and coalesce(status_at <= $7, true) then $7 else status_at end,
  category = coalesce($8, category),
  components = coalesce($9, components),
  edits = case when $3 = 'edit' then array(select e from unnest(edits) as e where e > clock_timestamp() - interval '30 days')
    || clock_timestamp() else edits end,
  updated_at = clock_timestamp()
where tenant_id = $1 and id = $2 and intent = $3 and intent_tries = $4
returning id`,
};

/** What the provider made of a creation or an edit; null fields: it did not say. */
export interface TakenChange {
  provider_id: string | null;
  status: string | null;
  category: string | null;
  /** Of an edit: what is in the place of the components now. */
  components: readonly object[] | null;
  /** When it was asked. */
  at: Date;
}

/** Writes down that the provider took a creation or an edit. @returns false: another try was there before. */
export async function settleTaken(tx: Queryable, key: IntentKey, change: TakenChange): Promise<boolean> {
  const { provider_id, status, category, components, at } = change;
  const named = [key.tenant_id, key.id, key.intent, key.tries];
  const written = components === null ? null : jsonText(components);
  return (await tx.query<object>(taken, [...named, provider_id, status, at, category, written])).length === 1;
}

const refused = {
  name: 'templates_intent_refused',
  text: `
update templates set intent = null, intent_payload = null, intent_due_at = null, intent_tries = 0, refusal = $5,
  status = case when $3 = 'create' then 'REFUSED' else status end,
  reason = case when $3 = 'create' then left(coalesce($5::jsonb ->> 'detail', $5::jsonb ->> 'title'), 1000) else reason end,
  updated_at = clock_timestamp()
where tenant_id = $1 and id = $2 and intent = $3 and intent_tries = $4`,
};

/** Writes down that the provider did not take what it was told. */
export async function settleRefused(tx: Queryable, key: IntentKey, refusal: TemplateRefusal): Promise<void> {
  await tx.query(refused, [key.tenant_id, key.id, key.intent, key.tries, jsonText(refusal)]);
}

const postponed = {
  name: 'templates_intent_postponed',
  text: `
update templates set intent_due_at = clock_timestamp() + $5 * interval '1 ms',
  reason = case when intent = 'create' then coalesce(left($6, 1000), reason) else reason end
where tenant_id = $1 and id = $2 and intent = $3 and intent_tries = $4`,
};

/** Lets an intent wait. @param delay milliseconds from now. @param detail why; null: what was said last stays. */
export async function postponeIntent(
  tx: Queryable,
  key: IntentKey,
  delay: number,
  detail: string | null,
): Promise<void> {
  await tx.query(postponed, [key.tenant_id, key.id, key.intent, key.tries, delay, detail]);
}

const removeTaken = {
  name: 'templates_intent_removed',
  text: `
delete from templates where tenant_id = $1 and id = $2 and intent = 'delete' and intent_tries = $3`,
};

/** Forgets a template that the provider has deleted. */
export async function settleRemoved(tx: Queryable, key: IntentKey): Promise<void> {
  await tx.query(removeTaken, [key.tenant_id, key.id, key.tries]);
}

const upsert = {
  name: 'templates_upsert',
  text: `
-- An account that is being deleted is waited for: nothing of it is written after that.
with a as materialized (
  select from accounts where tenant_id = $1 and id = $2 for key share
)
insert into templates (tenant_id, account_id, id, provider_id, name, language, status, category, quality, parameter_format,
  components, reason, status_at, quality_at, category_at)
select $1, $2, i.id, i.provider_id, i.name, i.language, i.status, i.category, i.quality, i.parameter_format, i.components,
  i.reason, $3, $3, $3
from a, unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::jsonb[],
  $13::text[]) as i(id, provider_id, name, language, status, category, quality, parameter_format, components, reason)
on conflict (tenant_id, account_id, name, language) do update set provider_id = excluded.provider_id,
  status = case when coalesce(templates.status_at <= $3, true) then excluded.status else templates.status end,
  reason = case when coalesce(templates.status_at <= $3, true) then excluded.reason else templates.reason end,
  category = case when coalesce(templates.category_at <= $3, true) then excluded.category else templates.category end,
  quality = case when coalesce(templates.quality_at <= $3, true) then excluded.quality else templates.quality end,
  parameter_format = excluded.parameter_format, components = excluded.components,
  status_at = greatest(templates.status_at, $3), quality_at = greatest(templates.quality_at, $3),
  category_at = greatest(templates.category_at, $3), updated_at = clock_timestamp()
where (templates.provider_id, templates.status, templates.category, templates.quality, templates.parameter_format,
    templates.components, templates.reason)
  is distinct from (excluded.provider_id, excluded.status, excluded.category, excluded.quality, excluded.parameter_format,
    excluded.components, excluded.reason)
returning id`,
};

/**
 * Writes templates as the provider has them; those of an account that is not there any more, not. What a webhook told later than
 * `at` stays.
 * @param templates each name and language once. `category`: one of ours.
 * @returns how many were new or other than before.
 */
export async function upsertTemplates(
  tx: Queryable,
  tenant: TenantId,
  account: string,
  at: Date,
  templates: readonly (ProviderTemplate & { id: TemplateId })[],
): Promise<number> {
  const rows = await tx.query<object>(upsert, [
    tenant,
    account,
    at,
    uuids(templates, (t) => t.id),
    texts(templates, (t) => t.provider_id),
    texts(templates, (t) => t.name),
    texts(templates, (t) => t.language),
    texts(templates, (t) => t.status),
    texts(templates, (t) => t.category),
    texts(templates, (t) => t.quality),
    texts(templates, (t) => t.parameter_format),
    jsons(templates, (t) => jsonText(t.components)),
    texts(templates, (t) => t.reason),
  ]);
  return rows.length;
}

const removeGone = {
  name: 'templates_delete_gone',
  text: `
delete from templates t where t.tenant_id = $1 and t.account_id = $2 and t.provider_id is not null
  and not t.provider_id = any($3) and t.updated_at < $4
returning t.id`,
};

/**
 * Forgets templates of an account that its provider has no more.
 * @param there all that it has, by its own ids, as read from `since` on: what was made here later is left.
 * @returns how many there were.
 */
export async function deleteGoneTemplates(
  tx: Queryable,
  tenant: TenantId,
  account: string,
  there: readonly string[],
  since: Date,
): Promise<number> {
  return (await tx.query<object>(removeGone, [tenant, account, there, since])).length;
}

/** What a webhook tells of a template, named by its account. Absent fields: nothing of them. */
export interface ToldTemplate {
  app: string;
  account: string;
  /** null: the webhook's number is beyond what can be read exactly. */
  provider_id: string | null;
  name: string;
  language: string;
  /** When it was told, in milliseconds since 1970. */
  at: number;
  status?: string;
  /** With `status`; null: there is none. */
  reason?: string | null;
  quality?: string;
  category?: string;
}

const tell = {
  name: 'templates_tell',
  text: `
with i as (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[],
    $9::text[], $10::text[])
  as i(app_id, account_id, provider_id, name, language, at, status, reason, quality, category)
), found as (
  -- An account that its token has never read may be somebody else's.
  select a.tenant_id, t.id, i.* from i
  join accounts a on a.app_id = i.app_id and a.id = i.account_id and a.synced_at is not null
  join templates t on t.tenant_id = a.tenant_id and t.account_id = i.account_id and t.name = i.name
    and t.language = i.language and coalesce(t.provider_id = i.provider_id, true)
)
update templates t set
  provider_id = coalesce(t.provider_id, f.provider_id),
  status = case when f.status is not null and coalesce(t.status_at <= f.at, true) then f.status else t.status end,
  reason = case when f.status is not null and coalesce(t.status_at <= f.at, true) then f.reason else t.reason end,
  status_at = case when f.status is not null then greatest(t.status_at, f.at) else t.status_at end,
  quality = case when f.quality is not null and coalesce(t.quality_at <= f.at, true) then f.quality else t.quality end,
  quality_at = case when f.quality is not null then greatest(t.quality_at, f.at) else t.quality_at end,
  category = case when f.category is not null and coalesce(t.category_at <= f.at, true) then f.category else t.category end,
  category_at = case when f.category is not null then greatest(t.category_at, f.at) else t.category_at end,
  updated_at = clock_timestamp()
from found f where t.tenant_id = f.tenant_id and t.id = f.id
returning t.tenant_id, t.id, t.account_id, t.name, t.language, t.status`,
};

/** A template that a webhook named, as it is now. */
export interface NamedTemplate {
  tenant_id: TenantId;
  id: TemplateId;
  account_id: string;
  name: string;
  language: string;
  status: string;
}

/**
 * Applies what webhooks told, each only if nothing later was told before. A template whose creation is not answered yet is
 * found by its name.
 * @param told each template at most once.
 * @returns the templates that were found.
 */
export function tellTemplates(tx: Queryable, told: readonly ToldTemplate[]): Promise<NamedTemplate[]> {
  return tx.query<NamedTemplate>(tell, [
    texts(told, (t) => t.app),
    texts(told, (t) => t.account),
    texts(told, (t) => t.provider_id),
    texts(told, (t) => t.name),
    texts(told, (t) => t.language),
    times(told, (t) => t.at),
    texts(told, (t) => t.status ?? null),
    texts(told, (t) => t.reason ?? null),
    texts(told, (t) => t.quality ?? null),
    texts(told, (t) => t.category ?? null),
  ]);
}
