import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stepRedrives } from '../../src/actions/redrives.ts';
import { NO_CAPS } from '../../src/domain/limits.ts';
import { type Customer, type DoorWorld, doorWorld } from '../http/door-world.ts';
import { type Ended, runAldis } from './run-aldis.ts';

/* `aldis dead-letters` against a real door. */
let world: DoorWorld;
let customer: Customer;
before(async () => {
  world = await doorWorld();
  customer = await world.customer();
});
after(() => world.close());

const aldis = (...args: string[]): Promise<Ended> =>
  runAldis(['dead-letters', ...args], { ALDIS_URL: world.url, ALDIS_API_KEY: customer.key }).ended;

test('failed messages are listed by reason, and sent again one by one and by filter', async () => {
  assert.match((await aldis('list')).stdout, /no message has failed/);
  const refusal = { kind: 'error', title: 'not on WhatsApp', detail: null, retryAfter: null } as const;
  const ids: string[] = [];
  for (const code of [131026, 131026, 131051]) {
    const send = await customer.sending();
    await customer.settle(send, { ...refusal, code });
    ids.push(send.message_id);
  }
  const listed = await aldis('list');
  assert.equal(listed.code, 0, listed.stderr);
  assert.match(listed.stdout, /^ +2 {2}send_failed {2}131026 {2}not on WhatsApp {2}last 20/);
  const narrowed = JSON.parse((await aldis('list', '--error-code', '131051', '--json')).stdout) as { count: number }[];
  assert.deepEqual(
    narrowed.map(({ count }) => count),
    [1],
  );

  const retried = await aldis('retry', ids[2] ?? '');
  assert.deepEqual([retried.code, retried.stdout.trim()], [0, `${ids[2]} is due again`], retried.stderr);
  assert.equal((await aldis('retry', ids[2] ?? '')).code, 4, 'it is not failed any more');

  const careless = await aldis('redrive');
  assert.equal(careless.code, 2);
  assert.match(careless.stderr, /--all/);
  const made = await aldis('redrive', '--error-code', '131026', '--per-second', '50', '--json');
  assert.equal(made.code, 0, made.stderr);
  const { id } = JSON.parse(made.stdout) as { id: string };
  while ((await stepRedrives(world, NO_CAPS)) !== null);
  assert.match((await aldis('show', id)).stdout, /state +done[\s\S]*queued +2/);
  assert.equal((await aldis('cancel', id)).code, 4);
  assert.equal((await aldis('redrive', '--all', '--per-second', '2000')).code, 2);
  const all = JSON.parse((await aldis('redrive', '--all', '--json')).stdout) as { id: string };
  assert.match((await aldis('cancel', all.id)).stdout, /state +cancelled/);
});
