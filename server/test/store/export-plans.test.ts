import { after, before, test } from 'node:test';
import type { Queryable } from '../../src/db/pool.ts';
import { type ExportId, type InstanceId, newId } from '../../src/domain/ids.ts';
import { countContacts, findExport, listExportParts, listExports } from '../../src/store/exports.read.ts';
import { countExports, listLeftExports, takeOpenExport } from '../../src/store/exports.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

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

/** A few rows of each table. */
const cheap = (ask: (tx: Queryable) => Promise<unknown>) => assertCheap(world.db, 10, ask);

test('exports are found, listed and counted by their key', async () => {
  await cheap((tx) => findExport(tx, own.tenant, id));
  await cheap((tx) => listExports(tx, own.tenant, null, 51));
  await cheap((tx) => countExports(tx, own.tenant));
  await cheap((tx) => listExportParts(tx, own.tenant, id));
  await cheap((tx) => countContacts(tx, own.tenant, 10));
});

test('what is to be written or removed is found among what was', async () => {
  await cheap((tx) => takeOpenExport(tx, newId<InstanceId>(), 1000));
  await cheap((tx) => listLeftExports(tx, 20));
});
