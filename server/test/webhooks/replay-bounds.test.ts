import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stepReplays } from '../../src/actions/webhook-replays.ts';
import { newId } from '../../src/domain/ids.ts';
import { until } from '../until.ts';
import { webhookWorld } from './webhook-world.ts';

test('a replay makes no more at once than an endpoint keeps up with, in lines too', async (t) => {
  const world = await webhookWorld(t);
  const tenant = await world.tenant();
  const { id } = await world.endpoint(tenant, 'https://hooks.example', { ordered: true });
  const before = Date.now();
  const many = `
    insert into events (tenant_id, id, type, conversation_id, data)
    select $1, ($2 || lpad(to_hex(i), 12, '0'))::uuid, 'participant.left', $3, '{}'
    from generate_series(1, 2500) as i`;
  const prefix = newId().slice(0, 24);
  await world.db.query({ name: 'test_many', text: many }, [tenant.tenant, prefix, newId()]);
  const begun = await world.replays.begin(tenant.tenant, id, {
    since: before - 1000,
    until: Date.now(),
    only_failed: false,
  });
  assert.ok(typeof begun === 'object');
  const replay = {
    name: 'test_replay',
    text: `select state, due_at > now() + interval '500 ms' as waits from webhook_replays`,
  };
  await until('it is done, or waits for the endpoint', async () => {
    await stepReplays(world);
    const [row] = await world.db.query<{ state: string; waits: boolean }>(replay);
    return row?.state === 'done' || row?.waits === true;
  });
  const made = (await world.listed(tenant, id)).length;
  assert.ok(made >= 1000 && made <= 1500, `${made} are made`);
});
