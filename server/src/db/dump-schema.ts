import type { Queryable } from './pool.ts';

/**
 * The schema as text: functions and enumerations, then each table with its columns, constraints, settings, indexes and triggers. Read from the
 * catalogue of a migrated database and always in the same order, so that a change of the schema is a change of this text
 * that a reviewer sees. It is for reading; the migrations are what runs.
 */
export async function schemaText(db: Queryable): Promise<string> {
  const functions = await db.query<{ definition: string }>(findFunctions);
  const enumerations = await db.query<Enumeration>(findEnumerations);
  const columns = groupByTable(await db.query<Column>(findColumns));
  const constraints = groupByTable(await db.query<Constraint>(findConstraints));
  const indexes = groupByTable(await db.query<Attached>(findIndexes));
  const triggers = groupByTable(await db.query<Attached>(findTriggers));
  const tables = await db.query<Table>(findTables);
  const parts = [
    '-- Generated from the migrations by `npm run generate`; a test holds it equal. For reading, not for running.',
    ...functions.map(({ definition }) => `${definition.trimEnd()};`),
    ...enumerations.map(({ name, labels }) => `create type ${name} as enum (\n${labels.map(quoted).join(',\n')}\n);`),
    ...tables.map(({ table_name, options }) => {
      const lines = [
        ...(columns.get(table_name) ?? []).map(columnLine),
        ...(constraints.get(table_name) ?? []).map(({ name, definition }) => `constraint ${name} ${definition}`),
      ];
      const settings = options.length > 0 ? ` with (${options.join(', ')})` : '';
      const table = `create table ${table_name} (\n${lines.map((line) => `  ${line}`).join(',\n')}\n)${settings};`;
      const more = [...(indexes.get(table_name) ?? []), ...(triggers.get(table_name) ?? [])];
      return [table, ...more.map(({ definition }) => `${definition};`)].join('\n');
    }),
  ];
  return `${parts.join('\n\n')}\n`;
}

interface Enumeration {
  name: string;
  labels: string[];
}

interface Table {
  table_name: string;
  options: string[];
}

interface Column {
  table_name: string;
  name: string;
  type: string;
  not_null: boolean;
  identity: '' | 'a' | 'd';
  default_value: string | null;
}

interface Constraint {
  table_name: string;
  name: string;
  definition: string;
}

/** An index or a trigger. */
interface Attached {
  table_name: string;
  definition: string;
}

const findFunctions = {
  name: 'schema_functions',
  text: `
select pg_get_functiondef(oid) as definition from pg_proc where pronamespace = 'public'::regnamespace order by proname collate "C"`,
};

const findEnumerations = {
  name: 'schema_enumerations',
  text: `
select t.typname as name, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
from pg_type t join pg_enum e on e.enumtypid = t.oid
where t.typnamespace = 'public'::regnamespace group by t.typname order by t.typname collate "C"`,
};

const findTables = {
  name: 'schema_tables',
  text: `
select relname as table_name, array(select o from unnest(reloptions) as o order by o collate "C") as options
from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname collate "C"`,
};

const findColumns = {
  name: 'schema_columns',
  text: `
select c.relname as table_name, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as not_null,
  a.attidentity as identity, pg_get_expr(d.adbin, d.adrelid) as default_value
from pg_attribute a
join pg_class c on c.oid = a.attrelid and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped order by c.relname collate "C", a.attnum`,
};

// Since PostgreSQL 18 "not null" is a constraint too; it stands with its column already.
const findConstraints = {
  name: 'schema_constraints',
  text: `
select c.relname as table_name, k.conname as name, pg_get_constraintdef(k.oid) as definition
from pg_constraint k join pg_class c on c.oid = k.conrelid
where c.relnamespace = 'public'::regnamespace and k.contype <> 'n'
order by c.relname collate "C", array_position('{p,u,f,c,x}', k.contype::text), k.conname collate "C"`,
};

const findIndexes = {
  name: 'schema_indexes',
  text: `
select c.relname as table_name, pg_get_indexdef(i.indexrelid) as definition
from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
where c.relnamespace = 'public'::regnamespace and not exists (select from pg_constraint k where k.conindid = i.indexrelid
  and k.contype in ('p', 'u', 'x'))
order by c.relname collate "C", x.relname collate "C"`,
};

const findTriggers = {
  name: 'schema_triggers',
  text: `
select c.relname as table_name, pg_get_triggerdef(t.oid) as definition from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = 'public'::regnamespace and not t.tgisinternal order by c.relname collate "C", t.tgname collate "C"`,
};

const IDENTITY = { '': '', a: ' generated always as identity', d: ' generated by default as identity' };

function columnLine({ name, type, not_null, identity, default_value }: Column): string {
  const otherwise = default_value === null ? '' : ` default ${default_value}`;
  return `${name} ${type}${not_null ? ' not null' : ''}${IDENTITY[identity]}${otherwise}`;
}

function quoted(label: string): string {
  return `  '${label.replaceAll("'", "''")}'`;
}

function groupByTable<Row extends { table_name: string }>(rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, (row) => row.table_name);
}
