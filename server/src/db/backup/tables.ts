import type { Queryable } from '../pool.ts';
import type { SequenceState, TableShape } from './record.ts';

/** Migrations record themselves when they run. */
const NOT_KEPT = 'migrations';

interface Reference {
  child: string;
  parent: string;
}

const findTables = {
  name: 'backup_tables',
  text: `
select c.relname as name, array(
  select a.attname::text from pg_attribute a
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum
) as columns
from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname collate "C"`,
};

const findReferences = {
  name: 'backup_references',
  text: `
select c.relname as child, p.relname as parent
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
where k.contype = 'f' and c.relnamespace = 'public'::regnamespace and k.conrelid <> k.confrelid`,
};

const findSequences = {
  name: 'backup_sequences',
  text: `
select c.relname as "table", a.attname as "column", s.oid::regclass::text as sequence
from pg_depend d
join pg_class s on s.oid = d.objid and s.relkind = 'S'
join pg_class c on c.oid = d.refobjid and c.relnamespace = 'public'::regnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid
where d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i') order by 1, 2`,
};

/** The tables that a backup keeps, in an order in which each comes after those it refers to. */
export async function tablesToKeep(tx: Queryable): Promise<TableShape[]> {
  const tables = await tx.query<TableShape>(findTables);
  const references = await tx.query<Reference>(findReferences);
  const waiting = new Map(tables.filter(({ name }) => name !== NOT_KEPT).map((table) => [table.name, table]));
  const ordered: TableShape[] = [];
  while (waiting.size > 0) {
    const free = [...waiting.values()].filter(
      ({ name }) => !references.some(({ child, parent }) => child === name && waiting.has(parent)),
    );
    if (free.length === 0) throw new Error(`tables refer to each other in a ring: ${[...waiting.keys()].join(', ')}`);
    for (const table of free) waiting.delete(table.name);
    ordered.push(...free);
  }
  return ordered;
}

/** What each identity column gives next. */
export async function sequenceStates(tx: Queryable): Promise<SequenceState[]> {
  const found = await tx.query<{ table: string; column: string; sequence: string }>(findSequences);
  const states: SequenceState[] = [];
  for (const { table, column, sequence } of found) {
    const [state] = await tx.query<Pick<SequenceState, 'last_value' | 'is_called'>>({
      name: `backup_sequence_${sequence}`,
      text: `select last_value, is_called from ${sequence}`,
    });
    if (state) states.push({ table, column, ...state });
  }
  return states;
}

/** A name as SQL writes it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
