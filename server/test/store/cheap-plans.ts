import assert from 'node:assert/strict';
import type { Db, Queryable, Statement } from '../../src/db/pool.ts';

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
}

/** Runs what asks, and holds its statements to rows of tables that indexes gave: at most so many of each. */
export async function assertCheap(db: Db, most: number, ask: (tx: Queryable) => Promise<unknown>): Promise<void> {
  const explaining: Queryable = {
    async query<Row extends object>({ name, text }: Statement, values?: readonly unknown[]) {
      const explained = { name: `explain ${name}`, text: `explain (analyze, format json) ${text}` };
      const [row] = await db.query<{ 'QUERY PLAN': { Plan: Node }[] }>(explained, values);
      walk(row?.['QUERY PLAN'][0]?.Plan as Node, name);
      return [] as Row[];
    },
    script: (sql) => db.script(sql),
  };
  function walk(node: Node, name: string): void {
    const { 'Node Type': type, 'Relation Name': relation, 'Actual Loops': loops } = node;
    assert.notEqual(type, 'Seq Scan', `${name} reads all of ${relation}`);
    const looked = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * loops;
    if (relation !== undefined) assert.ok(looked <= most, `${name} looks at ${looked} rows of ${relation}`);
    for (const plan of node.Plans ?? []) walk(plan, name);
  }
  await ask(explaining);
}
