import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Queryable, Statement } from '../../src/db/pool.ts';
import { type ExportId, type InstanceId, newId } from '../../src/domain/ids.ts';
import { countContacts, findExport, listExportParts, listExports } from '../../src/store/exports.read.ts';
import { countExports, listLeftExports, takeOpenExport } from '../../src/store/exports.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';

/* What is asked of exports costs the same with a hundred tenants and with a million. */

const OTHERS = 20_000;
let world: EngineWorld;
let own: TenantWorld;
const id = newId<ExportId>();

before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  const text = `
    with e as (
      insert into exports (tenant_id, id, kind, format, asked, filter, state, parts, expires_at)
      select gen_random_uuid(), gen_random_uuid(), 'messages', 'csv', '{}', '{}', 'complete', 1, now() + interval '1 h'
      from generate_series(1, $3) returning tenant_id, id
    ), o as (
      insert into exports (tenant_id, id, kind, format, asked, filter) values ($1, $2, 'messages', 'csv', '{}', '{}')
    )
    insert into export_parts (tenant_id, export_id, part, hold, rows, size) select tenant_id, id, 1, 1, 1, 1 from e`;
  await world.db.query({ name: 'test_many', text }, [own.tenant, id, OTHERS]);
  await world.db.script('analyze exports, export_parts');
});
after(() => world.close());

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
}

/** Runs what asks, and holds its statement to rows that indexes gave: a few of each table. */
async function assertCheap(ask: (tx: Queryable) => Promise<unknown>): Promise<void> {
  const explaining: Queryable = {
    async query<Row extends object>({ name, text }: Statement, values?: readonly unknown[]) {
      const explained = { name: `explain ${name}`, text: `explain (analyze, format json) ${text}` };
      const [row] = await world.db.query<{ 'QUERY PLAN': { Plan: Node }[] }>(explained, values);
      walk(row?.['QUERY PLAN'][0]?.Plan as Node, name);
      return [] as Row[];
    },
    script: (sql) => world.db.script(sql),
  };
  function walk(node: Node, name: string): void {
    const { 'Node Type': type, 'Relation Name': relation, 'Actual Loops': loops } = node;
    assert.notEqual(type, 'Seq Scan', `${name} reads all of ${relation}`);
    const looked = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * loops;
    if (relation !== undefined) assert.ok(looked <= 10, `${name} looks at ${looked} rows of ${relation}`);
    for (const plan of node.Plans ?? []) walk(plan, name);
  }
  await ask(explaining);
}

test('exports are found, listed and counted by their key', async () => {
  await assertCheap((tx) => findExport(tx, own.tenant, id));
  await assertCheap((tx) => listExports(tx, own.tenant, null, 51));
  await assertCheap((tx) => countExports(tx, own.tenant));
  await assertCheap((tx) => listExportParts(tx, own.tenant, id));
  await assertCheap((tx) => countContacts(tx, own.tenant, 10));
});

test('what is to be written or removed is found among what was', async () => {
  await assertCheap((tx) => takeOpenExport(tx, newId<InstanceId>(), 1000));
  await assertCheap((tx) => listLeftExports(tx, 20));
});
