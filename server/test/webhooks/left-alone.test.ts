import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../until.ts';
import { webhookWorld } from './webhook-world.ts';

test('who asks to be left alone is posted nothing more meanwhile, not even what is in hand for him', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver, other] = [await world.tenant(), await world.sink(), await world.sink()];
  const { id } = await world.endpoint(tenant, receiver.url);
  await world.endpoint(tenant, other.url);
  for (let i = 0; i < 60; i++) await tenant.accept();
  let open: (() => void) | null = null;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  receiver.answer = async (_, response) => {
    await gate;
    response.writeHead(429, { 'retry-after': '30' }).end();
    return null;
  };
  await world.start({ timeout: 20_000, hold: 40_000 });
  await until('the other has all', () => other.taken.length === 60);
  const first = receiver.posted.length;
  assert.ok(first >= 5 && first <= 10, `${first} calls at once`);
  (open as (() => void) | null)?.();
  await until('all that were under way are settled', async () => {
    const rows = await world.listed(tenant, id);
    return rows.length === 60 && rows.filter((row) => row.status === 429).length >= first;
  });
  // What was in hand is given back: it is due, was not tried, and goes when the rest is over.
  await until('the others are given back', async () => {
    const rows = await world.listed(tenant, id);
    return rows.filter((row) => row.tries === 0).length === 60 - first;
  });
  assert.equal(receiver.posted.length, first);
});
