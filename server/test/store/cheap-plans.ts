import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Db, Queryable, Statement } from '../../src/db/pool.ts';

/** A node of a plan that ran, as `explain (analyze, format json)` tells it. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** Runs what asks, and holds its statements to rows of tables that indexes gave: at most so many of each. */
export async function assertCheap(db: Db, most: number, ask: (tx: Queryable) => Promise<unknown>): Promise<void> {
  function walk(node: PlanNode, name: string): void {
    const { 'Node Type': type, 'Relation Name': relation, 'Actual Loops': loops } = node;
    assert.notEqual(type, 'Seq Scan', `${name} reads all of ${relation}`);
    const looked = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * loops;
    if (relation !== undefined) assert.ok(looked <= most, `${name} looks at ${looked} rows of ${relation}`);
    for (const plan of node.Plans ?? []) walk(plan, name);
  }
  await explaining(db, ask, walk);
}

/**
 * Runs what asks, once, with the plan that the product has: made for any parameters, where `explain` of a statement with its parameters
 * would make one for these. Statements give no rows to who asks.
 */
async function explaining(
  db: Db,
  ask: (tx: Queryable) => Promise<unknown>,
  tell: (plan: PlanNode, statement: string) => void,
): Promise<void> {
  await ask({
    async query<Row extends object>({ name, text }: Statement, values: readonly unknown[] = []) {
      await db.transaction(async (tx) => {
        const prepared = `explained_${randomBytes(6).toString('hex')}`;
        await tx.script(`prepare ${prepared} as ${text}`);
        const given = values.length > 0 ? `(${(await literals(tx, prepared, values)).join(', ')})` : '';
        const explain = `explain (analyze, format json) execute ${prepared}${given}`;
        const [row] = await tx.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>({
          name: `${prepared}_plan`,
          text: explain,
        });
        await tx.script(`deallocate ${prepared}`);
        tell(row?.['QUERY PLAN'][0]?.Plan as PlanNode, name);
      });
      return [] as Row[];
    },
    script: (sql) => db.script(sql),
  });
}

/** Parameters as they are written in SQL: the server reads them as the statement's, and writes them as text. */
async function literals(tx: Queryable, prepared: string, values: readonly unknown[]): Promise<string[]> {
  const types = 'select parameter_types::text[] as types from pg_prepared_statements where name = $1';
  const [found] = await tx.query<{ types: string[] }>({ name: 'prepared_types', text: types }, [prepared]);
  const columns = found?.types.map((type, i) => `$${i + 1}::${type}::text`).join(', ') ?? '';
  const written = { name: `${prepared}_values`, text: `select array[${columns}] as values` };
  const [row] = await tx.query<{ values: (string | null)[] }>(written, values);
  return (row?.values ?? []).map((value) => (value === null ? 'null' : `'${value.replaceAll("'", "''")}'`));
}
