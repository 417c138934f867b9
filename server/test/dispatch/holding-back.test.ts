import assert from 'node:assert/strict';
import { after, afterEach, before, type TestContext, test } from 'node:test';
import { cancelMessage } from '../../src/actions/change-message.ts';
import { setProcessing } from '../../src/actions/processor.ts';
import { resolveDoubts } from '../../src/actions/resolve-doubts.ts';
import type { Channel } from '../../src/domain/channel.ts';
import { type MessageId, newId, type SenderId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { insertDefaultWebhook } from '../../src/store/set-up.write.ts';
import { beginDue, type EngineWorld, engineWorld, makeDue, type TenantWorld, takeAllLanes } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { heldChannel, type SendingOptions, sendingLoop, sentBy } from './sending-loop.ts';

/* What keeps a message waiting that might leave: the pace of its sender, a stop, a webhook that is slow. */

let world: EngineWorld;
let other: TenantWorld;

before(async () => {
  world = await engineWorld();
  other = await world.tenant();
});
afterEach(() => assertSound(world.db));
after(() => world.close());

const sending = (t: TestContext, own: TenantWorld, channel: Channel, options?: SendingOptions) =>
  sendingLoop(t, world, own, channel, options);

/** Changes the senders of a tenant, by SQL. */
function change(own: TenantWorld, columns: string): Promise<void> {
  return world.db.script(`update senders set ${columns} where tenant_id = '${own.tenant}'`);
}

const accepted = (own: TenantWorld, count: number) => Promise.all(Array.from({ length: count }, () => own.accept()));

/** A message of another tenant that leaves by the same loop: whatever could leave before it has left. */
async function pastAnother(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const id = await other.accept();
    await until('another message is sent', async () => (await other.read(id)).state === 'sent');
  }
}

/** Makes the windows of a tenant's senders begin earlier. */
async function age(own: TenantWorld, milliseconds: number): Promise<void> {
  const text = `update sender_pace set window_started_at = window_started_at - $2 * interval '1 ms' where tenant_id = $1`;
  await world.db.query({ name: 'test_age', text }, [own.tenant, milliseconds]);
}

test('a paced sender sends its batch each interval, and wakes up for the next by itself', async (t) => {
  const own = await world.tenant();
  await change(own, 'batch_size = 2, processing_interval_ms = 500, messages_per_second = 5000');
  await accepted(own, 5);
  const { channel } = heldChannel(t, sentBy);
  await sending(t, own, channel).start();
  const begun = {
    name: 'test_begun',
    text: `
select extract(epoch from sending_at)::float8 * 1000 as at from messages where tenant_id = $1 and sending_at is not null
order by sending_at`,
  };
  let times: number[] = [];
  await until('all have left', async () => {
    times = (await world.db.query<{ at: number }>(begun, [own.tenant])).map(({ at }) => at);
    return times.length === 5;
  });
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = times;
  // By the database's clock, in which a window begins a little before its attempts do.
  assert.ok(third - first >= 300 && fifth - third >= 300, String(times));
  assert.ok(second - first < third - second && fourth - third < fifth - fourth, `two at a time: ${times}`);
});

test('what is configured paces every sender; a sender without a pace writes no window', async (t) => {
  const own = await world.tenant();
  await accepted(own, 3);
  const { channel, calls } = heldChannel(t, sentBy);
  const pace = { per_minute: 2, batch_size: null, processing_interval_ms: null };
  const running = await sending(t, own, channel, { pace }).start();
  await until('two have left', () => calls.length === 2);
  await running.stop();
  const windows = await world.db.query<{ kind: string; used: number }>(
    { name: 'test_windows', text: 'select kind, used from sender_pace where tenant_id = $1' },
    [own.tenant],
  );
  assert.deepEqual(windows, [{ kind: 'minute', used: 2 }]);
  const free = await world.tenant();
  await accepted(free, 3);
  const before = calls.length;
  await sending(t, free, channel).start();
  // The one that its pace held back leaves with them: nothing paces it now.
  await until('they have left', () => calls.length === before + 4);
  const rows = await world.db.query({ name: 'test_no_window', text: 'select from sender_pace where tenant_id = $1' }, [
    free.tenant,
  ]);
  assert.equal(rows.length, 0);
});

test('a restart in the middle of a window goes on in it, and retries count', async (t) => {
  const own = await world.tenant();
  await change(own, 'per_minute = 2');
  const ids = await accepted(own, 4);
  const failed: Outcome = { kind: 'again', code: 503, title: 'later', detail: null, retryAfter: null };
  const first = heldChannel(t, (call) => (call.attempt === 1 ? failed : sentBy(call)));
  const running = await sending(t, own, first.channel, { random: 0 }).start();
  await until('two have left', () => first.calls.length === 2);
  await running.stop();
  const second = heldChannel(t, sentBy);
  await sending(t, own, second.channel, { random: 0 }).start();
  await pastAnother();
  const ours = () => second.calls.filter((call) => ids.includes(call.message)).length;
  assert.equal(ours(), 0, 'the window is used up');
  await age(own, 60_000);
  // The loop believes the window to be closed for a minute. A pace that was changed makes it look again.
  await change(own, 'per_minute = 3');
  world.signals.notify('senders');
  await until('the next ones have left', () => ours() === 3);
  await pastAnother();
  assert.equal(ours(), 3);
  await Promise.all(ids.map((id) => cancelMessage(world.db, world.signals, own.tenant, id, null)));
});

test('a stopped tenant sends nothing, over restarts, while others do; what is in flight comes to its end', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t);
  const ours = (ids: readonly MessageId[]) => calls.filter((call) => ids.includes(call.message)).length;
  const answerOthers = setInterval(() => {
    for (const call of calls) if (call.message !== flying) call.answer(sentBy(call));
  }, 5);
  t.after(() => clearInterval(answerOthers));
  const flying = await own.accept();
  const running = await sending(t, own, channel).start();
  await until('it is under way', () => ours([flying]) === 1);
  await setProcessing(world.db, world.signals, own.tenant, false);
  await setProcessing(world.db, world.signals, own.tenant, false);
  await pastAnother();
  const held = [...(await accepted(own, 2)), await own.accept({ priority: 0 })];
  await pastAnother();
  assert.equal(ours(held), 0);
  calls.find((call) => call.message === flying)?.answer({ kind: 'sent', wamid: `wamid.${flying}` });
  await until('what was in flight is sent', async () => (await own.read(flying)).state === 'sent');
  assert.deepEqual(await running.stop(), []);

  await sending(t, own, channel).start();
  await pastAnother();
  assert.equal(ours(held), 0, 'a restart starts nothing');
  assert.equal((await own.read(held[0] ?? newId())).state, 'queued');
  await setProcessing(world.db, world.signals, own.tenant, true);
  await setProcessing(world.db, world.signals, own.tenant, true);
  await until('it goes on', async () => ours(held) === 3);
});

test('another instance hears of a stop within the time it reads its senders in', async (t) => {
  const own = await world.tenant();
  const { channel, calls } = heldChannel(t, sentBy);
  const { start, skip, reads } = sending(t, own, channel);
  await start();
  await pastAnother();
  // Written by somebody whose signals do not reach this one.
  const text = 'update tenants set processing = $2 where id = $1';
  await world.db.query({ name: 'test_stop_elsewhere', text }, [own.tenant, false]);
  const before = reads();
  skip(5001);
  await until('it has read its senders', () => reads() > before);
  const id = await own.accept();
  await pastAnother();
  assert.ok(!calls.some((call) => call.message === id));
  await world.db.query({ name: 'test_stop_elsewhere', text }, [own.tenant, true]);
  skip(5001);
  await until('it is sent', async () => (await own.read(id)).state === 'sent');
});

test('a sender that is switched off sends nothing until it is on again', async (t) => {
  const own = await world.tenant();
  await change(own, 'enabled = false');
  const id = await own.accept();
  const { channel, calls } = heldChannel(t, sentBy);
  await sending(t, own, channel).start();
  await pastAnother();
  assert.ok(!calls.some((call) => call.message === id));
  await change(own, 'enabled = true');
  world.signals.notify('senders');
  await until('it is sent', async () => (await own.read(id)).state === 'sent');
});

/** A tenant whose messages leave by a webhook. */
async function webhookTenant(): Promise<{ own: TenantWorld; sender: SenderId }> {
  const own = await world.tenant();
  const sender = newId<SenderId>();
  await insertDefaultWebhook(world.db, own.tenant, {
    id: sender,
    url: 'http://hooks.example/in',
    header: 'x-api-key',
    keySealed: null,
  });
  return { own, sender };
}

test('a webhook that hangs holds a few calls, and numbers send all the same', async (t) => {
  const slow = await webhookTenant();
  const slower = await webhookTenant();
  await world.db.script('update senders set messages_per_second = 5000');
  const webhook = heldChannel(t);
  const numbers = heldChannel(t, sentBy);
  for (const { own, sender } of [slow, slower]) {
    await Promise.all(Array.from({ length: 30 }, () => own.accept({ sender_id: sender })));
  }
  const { dispatcher, start } = sending(t, slow.own, numbers.channel, { webhook: webhook.channel, maxInFlight: 80 });
  await start();
  await until('it has all the calls it may have', () => webhook.calls.length === 20);
  await pastAnother();
  assert.equal(webhook.calls.length, 20, 'a quarter of the room');
  const senders = await Promise.all(
    webhook.calls.map(async ({ message }) => {
      const text = 'select sender_id from messages where id = $1';
      return (await world.db.query<{ sender_id: SenderId }>({ name: 'test_sender_of', text }, [message]))[0]?.sender_id;
    }),
  );
  for (const { sender } of [slow, slower]) {
    assert.ok(senders.filter((one) => one === sender).length <= 16, 'no more than one webhook is given');
  }
  for (let answered = 0; answered < 60; ) {
    await until('more are under way', () => webhook.calls.length > answered);
    assert.ok(dispatcher.inFlight <= 21);
    const call = webhook.calls[answered++];
    call?.answer(sentBy(call));
  }
  await until('none is under way', () => dispatcher.inFlight === 0);
});

test('a webhook of unknown outcome is told again; one that refuses ends its message', async (t) => {
  const { own, sender } = await webhookTenant();
  const again: Outcome = { kind: 'again', code: 0, title: 'no answer', detail: 'time-out', retryAfter: null };
  const gone: Outcome = { kind: 'refused', code: 410, title: 'the webhook answered 410', detail: null };
  const retried = await own.accept({ sender_id: sender });
  const webhook = heldChannel(t, (call) => (call.message !== retried ? gone : call.attempt < 3 ? again : sentBy(call)));
  await sending(t, own, heldChannel(t).channel, { webhook: webhook.channel, random: 0 }).start();
  await until('it is sent in the end', async () => (await own.read(retried)).state === 'sent');
  assert.deepEqual(
    webhook.calls.map(({ attempt }) => attempt),
    [1, 2, 3],
  );
  const refused = await own.accept({ sender_id: sender });
  await until('it has failed', async () => (await own.read(refused)).state === 'failed');
  const { error, attempt } = await own.read(refused);
  assert.deepEqual(
    [error, attempt],
    [{ error: 'send_failed', code: 410, title: 'the webhook answered 410', detail: null }, 1],
  );
});

test('a call to a webhook that a crash cut off is made once more, without any receipt, however often', async () => {
  const { own, sender } = await webhookTenant();
  const id = await own.accept({ sender_id: sender, category: 'marketing' });
  const text = 'select lane_id as lane from senders where id = $1';
  const [row] = await world.db.query<{ lane: number }>({ name: 'test_webhook_lane', text }, [sender]);
  assert.ok(row);
  let claim = await takeAllLanes(world.db, newId());
  for (let crash = 1; crash <= 3; crash++) {
    const begun = await beginDue(world.db, claim, [{ lane: row.lane, sender }], 1);
    assert.deepEqual(
      begun.map(({ attempt }) => attempt),
      [crash],
    );
    claim = await takeAllLanes(world.db, newId());
    assert.equal((await own.read(id)).state, 'unconfirmed');
    await makeDue(world.db, id);
    assert.deepEqual(await resolveDoubts(world.db, world.signals, claim), {
      resent: 1,
      told: 0,
      waiting: 0,
      longest: 0,
    });
    assert.equal((await own.read(id)).state, 'queued');
  }
  await cancelMessage(world.db, world.signals, own.tenant, id, null);
});
