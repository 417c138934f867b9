import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPauses } from '../../src/actions/pauses.ts';
import { checkHolds } from '../../src/cli/doctor/hold-checks.ts';
import { engineWorld } from '../engine-world.ts';

test('the doctor tells of queues that stand still and of tenants that were stopped, with what to do', async (t) => {
  const world = await engineWorld();
  t.after(() => world.close());
  const { tenant, sender } = await world.tenant();
  assert.deepEqual(
    (await checkHolds(world.db)).map(({ status }) => status),
    ['ok'],
  );
  const told = { code: 190, title: 'Invalid OAuth access token', detail: null, country: null };
  await openPauses(world.db, world.signals, [{ tenant, sender, scope: 'sender', cause: 'token_invalid', ...told }]);
  await world.db.script(`update tenants set processing = false where id = '${tenant}'`);
  const [pause, stopped, ...more] = await checkHolds(world.db);
  assert.deepEqual([pause?.status, pause?.name, more], ['warn', 'pause token_invalid', []]);
  assert.match(
    pause?.message ?? '',
    /^the queue of sender .+ stands still since 20\S+Z, tried again at 20\S+Z: Invalid OAuth access token \(error 190\)$/,
  );
  assert.equal(pause?.advice, 'Give the sender or its account a new access token.');
  assert.deepEqual([stopped?.status, stopped?.advice], ['warn', `aldis tenant change ${tenant} --processing yes`]);
});
