import { texts } from '../db/arrays.ts';
import type { Queryable } from '../db/pool.ts';
import { isUuid, type TemplateId, type TenantId } from '../domain/ids.ts';
import type { FoundTemplate } from '../domain/template-check.ts';
import type { ParameterFormat, TemplateCategory, TemplateComponent } from '../domain/template-definition.ts';
import type { TemplateIntent, TemplateRefusal } from '../domain/template-provider.ts';
import { shapeOf } from '../domain/template-shape.ts';
import type { StoredTemplate } from '../domain/template-status.ts';

/** A template with all that may be told of it. */
export interface TemplateRecord {
  id: TemplateId;
  account_id: string;
  /** null: WhatsApp has not been told of it yet. */
  provider_id: string | null;
  name: string;
  language: string;
  status: string;
  category: TemplateCategory;
  quality: string | null;
  parameter_format: ParameterFormat;
  components: readonly TemplateComponent[];
  reason: string | null;
  /** What WhatsApp said when it did not take the last creation or edit. */
  refusal: TemplateRefusal | null;
  /** What WhatsApp is still to be told; null: nothing. */
  intent: TemplateIntent | null;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = `t.id, t.account_id, t.provider_id, t.name, t.language, t.status, t.category, t.quality, t.parameter_format,
  t.components, t.reason, t.refusal, t.intent, t.created_at, t.updated_at`;

/** What names a template in a send. */
export interface TemplateKey {
  account: string;
  name: string;
  language: string;
}

const findNamed = {
  name: 'templates_find_named',
  text: `
select i.place::int as place, a.templates_synced_at is not null as synced, t.id, t.name, t.language, t.status, t.category,
  t.parameter_format, t.components, t.reason,
  case when t.id is null then array(
    select o.language from templates o where o.tenant_id = $1 and o.account_id = i.account_id and o.name = i.name order by o.language
  ) end as only_in
from unnest($2::text[], $3::text[], $4::text[]) with ordinality as i(account_id, name, language, place)
left join accounts a on a.tenant_id = $1 and a.id = i.account_id
left join templates t on t.tenant_id = $1 and t.account_id = i.account_id and t.name = i.name and t.language = i.language`,
};

/**
 * What is known of the templates that sends name, in the order asked. A template that is not there is `absent` when the
 * account's templates were read, else `unsynced`; one that is there in other languages says in which.
 */
export async function findNamedTemplates(
  tx: Queryable,
  tenant: TenantId,
  asked: readonly TemplateKey[],
): Promise<FoundTemplate[]> {
  const rows = await tx.query<
    Omit<StoredTemplate, 'id' | 'shape'> & {
      place: number;
      synced: boolean;
      id: TemplateId | null;
      only_in: string[] | null;
    }
  >(findNamed, [tenant, texts(asked, (a) => a.account), texts(asked, (a) => a.name), texts(asked, (a) => a.language)]);
  const found: FoundTemplate[] = asked.map(() => 'unsynced');
  for (const { place, synced, id, only_in, ...template } of rows) {
    if (id !== null) found[place - 1] = { ...template, id, shape: shapeOf(template.category, template.components) };
    else if (synced) found[place - 1] = only_in?.length ? { only_in } : 'absent';
  }
  return found;
}

const findOne = {
  name: 'templates_find',
  text: `select ${COLUMNS} from templates t where t.tenant_id = $1 and t.id = $2`,
};

/** A template by its id here. */
export async function findTemplate(tx: Queryable, tenant: TenantId, id: string): Promise<TemplateRecord | null> {
  if (!isUuid(id)) return null;
  const [row] = await tx.query<TemplateRecord>(findOne, [tenant, id]);
  return row ?? null;
}

/** What a list is narrowed to; absent or null: to nothing. */
export interface TemplateFilter {
  account_id?: string | undefined;
  name?: string | undefined;
  language?: string | undefined;
  status?: string | undefined;
  category?: string | undefined;
}

const listAll = {
  name: 'templates_list',
  text: `
select ${COLUMNS} from templates t
where t.tenant_id = $1 and t.id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  and ($4::text is null or t.account_id = $4) and ($5::text is null or t.name = $5)
  and ($6::text is null or t.language = $6) and ($7::text is null or t.status = $7)
  and ($8::text is null or t.category = $8)
order by t.id desc limit $3`,
};

/** Templates of a tenant, the newest first. @param before a page begins behind this one; null: at the newest. */
export function listTemplates(
  tx: Queryable,
  tenant: TenantId,
  filter: TemplateFilter,
  before: string | null,
  limit: number,
): Promise<TemplateRecord[]> {
  const { account_id, name, language, status, category } = filter;
  const narrowed = [account_id, name, language, status, category].map((word) => word ?? null);
  return tx.query<TemplateRecord>(listAll, [tenant, before, limit, ...narrowed]);
}

const findEdits = {
  name: 'templates_find_edits',
  text: `
select extract(epoch from clock_timestamp() - e)::float8 * 1000 as age
from templates t cross join lateral unnest(t.edits) as e where t.tenant_id = $1 and t.id = $2`,
};

/** How long ago a template was edited from here, for each edit of the last 30 days. Milliseconds. */
export async function findTemplateEdits(tx: Queryable, tenant: TenantId, id: TemplateId): Promise<number[]> {
  return (await tx.query<{ age: number }>(findEdits, [tenant, id])).map(({ age }) => age);
}
