import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { MessageId } from '../../src/domain/ids.ts';
import type { Category, NewMessage } from '../../src/domain/message.ts';
import { type EngineWorld, engineWorld, makeDue, newPhone, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { heldChannel, sendingLoop, sentBy } from './sending-loop.ts';

/* What waits for a place among the users of its portfolio, or for the morning. */

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const write = (text: string, ...values: unknown[]) =>
  world.db.query({ name: `test_${text.slice(0, 24)}`, text }, values);

const templates = (own: TenantWorld, count: number, category: Category, change: Partial<NewMessage> = {}) =>
  Promise.all(
    Array.from({ length: count }, () =>
      own.accept({ type: 'template', category, content: null, template: { name: 'a', language: 'en' }, ...change }),
    ),
  );

interface Waiting {
  message_id: MessageId;
  cause: string | null;
  minutes: number;
}

function waiting({ tenant }: TenantWorld): Promise<Waiting[]> {
  const text = `select message_id, cause, (extract(epoch from due_at - clock_timestamp()) / 60)::float8 as minutes
    from due where tenant_id = $1 and state = 'queued' order by message_id`;
  return world.db.query<Waiting>({ name: 'test_waiting', text }, [tenant]);
}

test('a campaign stops at its limit; codes, known users and free text go on; a raise lets the rest go', async (t) => {
  const own = await world.tenant();
  const account = String(300_000 + own.lane);
  await write('update senders set account_id = $2 where tenant_id = $1', own.tenant, account);
  const made = `insert into accounts (tenant_id, id, app_id, access_token_sealed, messaging_limit) values ($1, $2, 'default', '', 'TIER_10')`;
  await write(made, own.tenant, account);
  const known = newPhone();
  const [first] = await templates(own, 1, 'marketing', { address: known });
  const campaign = await templates(own, 11, 'marketing', { priority: 2 });
  const { channel, calls } = heldChannel(t, sentBy);
  const left = (id: MessageId | undefined) => calls.some(({ message }) => message === id);
  const running = await sendingLoop(t, world, own, channel).start();
  await until('nine have left', () => calls.length === 9);
  assert.ok(left(first));
  await until('the others are put off', async () => (await waiting(own)).every(({ cause }) => cause !== null));
  assert.deepEqual(
    (await waiting(own)).map(({ cause }) => cause),
    Array(3).fill('messaging_limit'),
  );
  const [code] = await templates(own, 1, 'authentication', { priority: 0 });
  const [again] = await templates(own, 1, 'marketing', { address: known });
  const text = await own.accept();
  await until('they have left', () => left(code) && left(again) && left(text));
  const [last] = await templates(own, 1, 'authentication', { priority: 0 });
  await until('the last place is taken', async () => (await waiting(own)).filter(({ cause }) => cause).length === 4);
  await running.stop();

  // The next owner knows whom the last one reached.
  for (const { message_id } of await waiting(own)) await makeDue(world.db, message_id);
  await sendingLoop(t, world, own, channel).start();
  await until('they are put off again', async () => (await waiting(own)).every(({ minutes }) => minutes > 60));
  assert.equal(calls.length, 12);
  await write(`update accounts set messaging_limit = 'TIER_UNLIMITED' where tenant_id = $1`, own.tenant);
  world.signals.notify('senders');
  await until('all have left', () => left(last) && campaign.every(left));
  assert.equal(new Set(calls.map(({ message }) => message)).size, 16);
});

test('what is not to leave at night waits for the morning, and nothing else does', async (t) => {
  const [own, other] = [await world.tenant(), await world.tenant()];
  const clock = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
  const hours = { marketing: { from: clock(-60), to: clock(60) }, utility: { from: clock(60), to: clock(-60) } };
  const setHours = (value: object) =>
    write('update tenants set quiet_hours = $2::jsonb where id = $1', own.tenant, JSON.stringify(value));
  await setHours(hours);
  // Iceland is on UTC all the year.
  const iceland = (n: number) => ({ address: `+354611234${n}` });
  const [night] = await templates(own, 1, 'marketing', iceland(1));
  const [day] = await templates(own, 1, 'utility', iceland(2));
  const [free] = await templates(other, 1, 'marketing', iceland(3));
  const { channel, calls } = heldChannel(t, sentBy);
  await sendingLoop(t, world, own, channel).start();
  await until('it is put off', async () => (await waiting(own)).some(({ cause }) => cause === 'quiet_hours'));
  await until('the others have left', () => [day, free].every((id) => calls.some(({ message }) => message === id)));
  const [{ message_id, minutes } = assert.fail(), ...more] = await waiting(own);
  assert.deepEqual([message_id, more.length], [night, 0]);
  assert.ok(minutes > 57 && minutes <= 60, String(minutes));
  await setHours({});
  world.signals.notify('senders');
  await until('it goes at once', () => calls.some(({ message }) => message === night));
});
