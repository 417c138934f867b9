import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { moveGrace, pullBack } from '../../src/actions/follow-clock.ts';
import type { MessageId } from '../../src/domain/ids.ts';
import { type EngineWorld, engineWorld, GRACE, makeDue } from '../engine-world.ts';

/* The database's clock was set: here what is stored is moved instead, which is the same to whoever reads it. */

const DAY = 86_400_000;
const STEP = 3 * DAY;

let world: EngineWorld;

before(async () => {
  world = await engineWorld();
});

after(() => world.close());

interface Waiting {
  wait: number;
  begun: number | null;
}

/** Milliseconds from now until a message's work is due, and since its attempt began. */
async function waiting(id: MessageId): Promise<Waiting> {
  const rows = await world.db.query<Waiting>(
    {
      name: 'test_waiting',
      text: `select (extract(epoch from due_at - clock_timestamp()) * 1000)::float8 as wait,
          (extract(epoch from clock_timestamp() - started_at) * 1000)::float8 as begun
        from due where message_id = $1`,
    },
    [id],
  );
  return rows[0] as Waiting;
}

/** Changes the work of a message, as if the clock had shown `milliseconds` more when it was written. */
async function write(id: MessageId, milliseconds: number, more = ''): Promise<void> {
  await world.db.query(
    {
      name: `test_write ${more}`,
      text: `update due set due_at = due_at + $2::float8 * interval '1 ms', started_at = started_at + $2::float8 * interval '1 ms' ${more}
        where message_id = $1`,
    },
    [id, milliseconds],
  );
}

const near = (value: number, wanted: number, what: string) =>
  assert.ok(Math.abs(value - wanted) < 30_000, `${what}: ${Math.round(value)} ms, and not about ${wanted} ms`);

test('set back: what was accepted in the future leaves now, what is scheduled at its time', async () => {
  const own = await world.tenant();
  const accepted = await own.accept();
  const scheduled = await own.accept({ scheduled_at: Date.now() + DAY });
  const past = await own.accept({ scheduled_at: Date.now() - 1000 });
  await write(accepted, STEP);
  await write(past, STEP);
  await pullBack(world.db, [own.lane], STEP);
  assert.ok((await waiting(accepted)).wait <= 0);
  assert.ok((await waiting(past)).wait <= 0);
  near((await waiting(scheduled)).wait, DAY, 'the scheduled one');
  assert.equal((await own.begin()).length, 2);
});

test('set back: what was put off waits as long as it would have, however often that is mended', async () => {
  const own = await world.tenant();
  const capped = await own.accept();
  const retry = await own.accept();
  const fresh = await own.accept();
  await write(capped, STEP + DAY, `, cause = 'marketing_cap'`);
  await write(retry, STEP + 600_000, `, cause = 'retry_wait'`);
  await write(fresh, 600_000, `, cause = 'retry_wait'`);
  for (const _ of [1, 2]) {
    await pullBack(world.db, [own.lane], STEP);
    near((await waiting(capped)).wait, DAY, 'the capped one');
    near((await waiting(retry)).wait, 600_000, 'the retry');
    near((await waiting(fresh)).wait, 600_000, 'the retry put off since');
  }
});

test('set back: held messages leave at once when they are let go', async () => {
  const own = await world.tenant();
  const held = await own.accept();
  await write(held, STEP, `, held = 'template', template_id = gen_random_uuid()`);
  await pullBack(world.db, [own.lane], STEP);
  assert.ok((await waiting(held)).wait <= 0);
});

test('set back: the lanes of others are left alone', async () => {
  const own = await world.tenant();
  const other = await world.tenant();
  const theirs = await other.accept();
  await write(theirs, STEP);
  await pullBack(world.db, [own.lane], STEP);
  near((await waiting(theirs)).wait, STEP, 'theirs');
});

test('set back: an open attempt began now at the latest, its grace is no longer than usual, and old receipts prove nothing', async () => {
  const own = await world.tenant();
  const send = await own.sending();
  await write(send.message_id, STEP);
  const evidence = {
    name: 'test_evidence',
    text: `insert into sender_evidence (tenant_id, sender_id, attempt_started_at)
      values ($1, $2, clock_timestamp() + interval '4 days')`,
  };
  await world.db.query(evidence, [own.tenant, own.sender]);
  await moveGrace(world.db, [own.lane], -STEP, GRACE);
  const { wait, begun } = await waiting(send.message_id);
  near(wait, GRACE, 'the grace');
  assert.ok(begun !== null && begun >= 0 && begun < 30_000);
  const proves = await world.db.query<{ proves: boolean }>(
    {
      name: 'test_proves',
      text: `select e.attempt_started_at > d.started_at as proves from sender_evidence e
        join due d on d.tenant_id = e.tenant_id and d.sender_id = e.sender_id where e.tenant_id = $1`,
    },
    [own.tenant],
  );
  assert.deepEqual(proves, [{ proves: false }]);
});

test('set on: the grace of a call under way is not over by that', async () => {
  const own = await world.tenant();
  const under_way = await own.sending();
  await write(under_way.message_id, -STEP);
  const later = await own.sending();
  await moveGrace(world.db, [own.lane], STEP, GRACE);
  near((await waiting(under_way.message_id)).wait, GRACE, 'the one under way');
  near((await waiting(later.message_id)).wait, GRACE, 'the one begun since');
});

test('set back: recurring work does not sleep until the clock has come back', async () => {
  const own = await world.tenant();
  await makeDue(world.db, await own.accept());
  await world.db.script(`
    insert into inbound_work (id, app_id, raw_ids, owner, created_at)
    values (gen_random_uuid(), 'default', '{}', gen_random_uuid(), clock_timestamp() + interval '3 days');
    update senders set connection_checked_at = clock_timestamp() + interval '3 days',
      tend_until = clock_timestamp() + interval '3 days 1 minute' where id = '${own.sender}'`);
  await pullBack(world.db, [own.lane], STEP);
  const rows = await world.db.query<{ stored: boolean; checked: boolean; tended: boolean }>({
    name: 'test_recurring',
    text: `select (select bool_and(created_at <= clock_timestamp()) from inbound_work) as stored,
        bool_and(connection_checked_at <= clock_timestamp()) as checked,
        bool_and(tend_until < clock_timestamp() + interval '2 minutes') as tended
      from senders where connection_checked_at is not null`,
  });
  assert.deepEqual(rows, [{ stored: true, checked: true, tended: true }]);
  await world.db.script('delete from inbound_work');
});
