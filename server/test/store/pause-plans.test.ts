import { after, before, test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import {
  countPauses,
  findLanePauses,
  findPause,
  findPauses,
  findPlaces,
  findSenderPauses,
} from '../../src/store/pauses.read.ts';
import {
  deleteBreakers,
  deletePauses,
  deleteSenderPauses,
  insertPauses,
  type NewPause,
  releaseCountry,
} from '../../src/store/pauses.write.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertCheap } from './cheap-plans.ts';

/* What is asked of pauses every second, and for each trouble, costs by what stands still and not by how many senders there are. */

const SENDERS = 5000;
const PAUSES = 20;
let world: EngineWorld;
let own: TenantWorld;
before(async () => {
  world = await engineWorld();
  own = await world.tenant();
  // Many senders of another lane and account, of whom a few stand still.
  await world.db.script(`
    insert into lanes (portfolio_id) values ('many');
    insert into senders (tenant_id, id, name, channel, lane_id, app_id, phone_number_id, account_id, phone, access_token_sealed)
    select '${own.tenant}', gen_random_uuid(), 'x', 'whatsapp', (select id from lanes where portfolio_id = 'many'), 'default', 'p' || i,
      'a' || i, '+6281234567', 'x' from generate_series(1, ${SENDERS}) as i;
    insert into pauses (id, tenant_id, scope, key, cause, title, probe_at)
    select gen_random_uuid(), tenant_id, 'sender', id::text, 'token_invalid', 'x', now() from senders where lane_id <> ${own.lane}
    limit ${PAUSES / 2};
    insert into pauses (id, tenant_id, scope, key, cause, title, probe_at)
    select gen_random_uuid(), tenant_id, 'account', app_id || '/' || account_id, 'call_rate', 'x', now() from senders
    where lane_id <> ${own.lane} limit ${PAUSES / 2};
    analyze senders; analyze pauses`);
});
after(() => world.close());

test('reading pauses looks at them and their senders', async () => {
  const { tenant, sender, lane } = own;
  await assertCheap(world.db, PAUSES * 2, (tx) => findLanePauses(tx, [lane]));
  await assertCheap(world.db, PAUSES * 2, (tx) => countPauses(tx));
  await assertCheap(world.db, PAUSES * 2, (tx) => findSenderPauses(tx, tenant, sender));
  await assertCheap(world.db, PAUSES * 2, (tx) => findPauses(tx, null, null, 50));
  await assertCheap(world.db, PAUSES * 2, (tx) => findPauses(tx, tenant, null, 50));
  await assertCheap(world.db, PAUSES * 2, (tx) => findPause(tx, tenant, newId()));
  await assertCheap(world.db, 2, (tx) => findPlaces(tx, [{ tenant, sender }]));
});

test('writing pauses touches those that are meant', async () => {
  const { tenant, sender } = own;
  const pause: NewPause = {
    ...{ id: newId(), tenant, sender, scope: 'sender', cause: 'restricted', code: 1, title: 'x', detail: null },
    ...{ country: null, base: 1, cap: 1, factor: 1, least: 0, longest: 1 },
  };
  await assertCheap(world.db, 4, (tx) => insertPauses(tx, [pause]));
  await assertCheap(world.db, 4, (tx) => deletePauses(tx, [newId()]));
  // There are so few that PostgreSQL 15 would rather look at each than look some up.
  await assertCheap(world.db, PAUSES * 2, (tx) => deleteSenderPauses(tx, [sender], ['restricted']));
  await assertCheap(world.db, 4, (tx) => deleteBreakers(tx, [{ scope: 'sender', key: sender }]));
  await assertCheap(world.db, 4, (tx) => releaseCountry(tx, 'default', '1', 100));
});
