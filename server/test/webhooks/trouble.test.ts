import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { createReseal } from '../../src/actions/reseal.ts';
import { forgetDeliveries } from '../../src/actions/webhook-deliveries.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { until } from '../until.ts';
import { type Sink, sink } from './sink.ts';
import { logOf, webhookWorld } from './webhook-world.ts';

test('for a day after a rotation both secrets sign; then the new one alone', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver] = [await world.tenant(), await world.sink()];
  const { id, secret } = await world.endpoint(tenant, receiver.url);
  await world.start();
  const rotated = await world.endpoints.rotate(tenant.tenant, id);
  assert.ok(rotated !== 'not_found' && rotated.secret !== secret);
  await tenant.accept();
  await until('it is told', () => receiver.taken.length === 1);
  const [first] = receiver.posted;
  for (const one of [secret, rotated.secret])
    new Webhook(one).verify(first?.body ?? '', first?.headers as Record<string, string>);
  assert.match(String(first?.headers['webhook-signature']), /^v1,\S+ v1,\S+$/);

  await world.db.script(`update webhook_endpoints set previous_until = now()`);
  await tenant.accept();
  await until('it is told', () => receiver.taken.length === 2);
  const second = receiver.posted[1];
  new Webhook(rotated.secret).verify(second?.body ?? '', second?.headers as Record<string, string>);
  assert.throws(
    () => new Webhook(secret).verify(second?.body ?? '', second?.headers as Record<string, string>),
    WebhookVerificationError,
  );
  assert.doesNotMatch(JSON.stringify(world.logged), /whsec_/);
});

test('a secret that is sealed anew by another key signs as before', async (t) => {
  const world = await webhookWorld(t);
  const tenant = await world.tenant();
  const { id } = await world.endpoint(tenant, 'https://hooks.example');
  await world.endpoints.rotate(tenant.tenant, id);
  const both = createSealer([7, 8].map((byte, i) => ({ version: i + 1, key: Buffer.alloc(32, byte) })));
  const resealed = await createReseal({ db: world.db, signals: world.signals, sealer: both })();
  const versions = await world.db.query<{ one: number; two: number }>({
    name: 'test_versions',
    text: `select get_byte(secret_sealed, 0) as one, get_byte(previous_secret_sealed, 0) as two from webhook_endpoints`,
  });
  assert.deepEqual(versions, [{ one: 2, two: 2 }]);
  assert.ok(resealed.resealed >= 2);
});

test('where it is asked for, events of a conversation come one after the other, whatever happens to them', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver] = [await world.tenant(), await world.sink()];
  const { id } = await world.endpoint(tenant, receiver.url, { ordered: true, event_types: ['message.queued'] });
  const addresses = ['+62811000001', '+62811000002', '+62811000003'];
  let fails = 0;
  // Each is refused once, but for those of the third conversation.
  const refused = new Set<string>();
  receiver.answer = ({ id: event, data }) => {
    if (data['to'] === addresses[2] || refused.has(event)) return 204;
    refused.add(event);
    fails++;
    return 503;
  };
  await world.start();
  const said = new Map<string, string[]>(addresses.map((address) => [address, []]));
  for (let i = 0; i < 4; i++) {
    for (const address of addresses) said.get(address)?.push(await tenant.accept({ address }));
  }
  await until(
    'the third is not held up by the others',
    () => receiver.posted.filter(({ data }) => data['to'] === addresses[2]).length === 4,
  );
  await world.allMade(tenant);
  assert.equal(receiver.posted.filter(({ data }) => data['to'] === addresses[0]).length, 1);
  const [waiting] = await world.db.query<{ n: number }>({
    name: 'test_waiting',
    text: `select count(*)::int as n from webhook_deliveries where due_at is null and state = 'pending'`,
  });
  assert.equal(waiting?.n, 6);
  await until('all are delivered', async () => {
    // Those that were refused only; one under way is left alone.
    await world.db.script(
      `update webhook_deliveries set due_at = now() where due_at > now() and status = 503 and due_at < now() + interval '6 s'`,
    );
    return receiver.taken.length === 12;
  });
  assert.equal(fails, 8);
  for (const address of addresses) {
    const told = receiver.posted.filter(
      ({ data, id: event }) => data['to'] === address && receiver.taken.includes(event),
    );
    assert.deepEqual([...new Set(told.map(({ data }) => data['id']))], said.get(address));
  }
  await until('all are settled', async () =>
    (await world.listed(tenant, id)).every((one) => one.state === 'delivered'),
  );
});

test('one that fails for good lets the next of its conversation go', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver] = [await world.tenant(), await world.sink()];
  const { id } = await world.endpoint(tenant, receiver.url, { ordered: true });
  const address = '+62811000009';
  const [first, second] = [await tenant.accept({ address }), await tenant.accept({ address })];
  receiver.answer = ({ data }) => (data['id'] === first ? 400 : 200);
  await world.start();
  await until('the first is refused', async () => (await world.listed(tenant, id)).some((one) => one.status === 400));
  assert.equal(receiver.posted.length, 1);
  await world.db.script(`update webhook_deliveries set tries = 10, due_at = now() where due_at is not null`);
  await until('the second is told', () => receiver.taken.length === 1);
  assert.deepEqual(
    receiver.posted.map(({ data }) => data['id']),
    [first, first, second],
  );
});

test('410 disables an endpoint; what was to be posted goes on when it is enabled again', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver, other] = [await world.tenant(), await world.sink(), await world.sink()];
  const { id } = await world.endpoint(tenant, receiver.url, { event_types: ['message.*'] });
  await world.endpoint(tenant, other.url, { event_types: ['webhook.disabled'] });
  receiver.answer = () => 410;
  await world.start();
  const message = await tenant.accept();
  await until('the others are told', () => other.taken.length === 1);
  const { data } = other.posted[0] ?? {};
  assert.deepEqual(
    [data?.['endpoint_id'], data?.['url'], data?.['reason']],
    [id, receiver.url, 'it answered 410: it is gone'],
  );
  const disabled = await world.found(tenant, id);
  assert.deepEqual([disabled.enabled, disabled.disabled_reason], [false, 'it answered 410: it is gone']);
  assert.ok(
    world.logged.some(({ text, about }) => text === 'a webhook endpoint is disabled' && about['endpoint_id'] === id),
  );
  // Nothing is made for it meanwhile, and nothing posted.
  await tenant.accept();
  await world.allMade(tenant);
  await world.makeDue();
  assert.equal((await world.listed(tenant, id)).length, 1);

  receiver.answer = () => 200;
  const enabled = await world.endpoints.change(tenant.tenant, id, { enabled: true });
  assert.ok(enabled !== 'not_found' && enabled.disabled_reason === null && enabled.failing_since === null);
  await world.makeDue();
  await until('it goes on', () => receiver.taken.length === 1);
  assert.deepEqual(
    receiver.posted.map((posted) => posted.data['id']),
    [message, message],
  );
});

test('one that only fails is disabled after days, and not before; one success begins anew', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver] = [await world.tenant(), await world.sink()];
  const { id } = await world.endpoint(tenant, receiver.url);
  receiver.answer = () => 500;
  await world.start();
  await tenant.accept();
  await until('it fails', async () => (await world.found(tenant, id)).failing_since !== null);
  await world.db.script(`update webhook_endpoints set failing_since = now() - interval '4 days 23 hours'`);
  await world.makeDue();
  await until('it failed again', () => receiver.posted.length === 2);
  receiver.answer = () => 200;
  await until(
    'it is settled',
    async () => (await world.listed(tenant, id))[0]?.tries === 2 && (await world.listed(tenant, id))[0]?.due_at != null,
  );
  assert.equal((await world.found(tenant, id)).enabled, true);
  await world.makeDue();
  await until('it is well', async () => (await world.found(tenant, id)).failing_since === null);

  receiver.answer = () => 500;
  await tenant.accept();
  await until('it fails', async () => (await world.found(tenant, id)).failing_since !== null);
  await world.db.script(`update webhook_endpoints set failing_since = now() - interval '5 days 1 hour'`);
  await until('it is disabled', async () => {
    await world.makeDue();
    return !(await world.found(tenant, id)).enabled;
  });
  assert.equal((await world.found(tenant, id)).disabled_reason, 'it failed for 5 days: it answered 500');
});

test('a delivery, a test and a range of the log are told again under the same ids', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver] = [await world.tenant(), await world.sink()];
  const { id } = await world.endpoint(tenant, receiver.url, { event_types: ['message.queued'] });
  await world.start();
  const before = Date.now();
  for (let i = 0; i < 5; i++) await tenant.accept();
  await until('all are told', () => receiver.taken.length === 5);
  const ids = receiver.taken.toSorted();
  await until('all are stored', async () => (await world.listed(tenant, id)).length === 5);
  const [newest] = await world.listed(tenant, id);
  assert.ok(newest);

  const replayed = await world.deliveries.replay(tenant.tenant, id, newest.id);
  assert.ok(replayed !== 'not_found' && replayed.kind === 'replay' && replayed.id !== newest.id);
  await until('one is told again', () => receiver.taken.length === 6);
  assert.equal(receiver.taken[5], newest.event_id);

  const tested = await world.deliveries.test(tenant.tenant, id);
  assert.ok(typeof tested === 'object');
  await until('the test is told', () => receiver.taken.length === 7);
  assert.deepEqual(
    [receiver.posted[6]?.type, receiver.posted[6]?.id, receiver.posted[6]?.data['endpoint_id']],
    ['webhook.test', tested.event_id, id],
  );

  const begun = await world.replays.begin(tenant.tenant, id, { since: before, until: Date.now(), only_failed: false });
  assert.ok(typeof begun === 'object');
  await until('all are told again', () => receiver.taken.length === 12);
  assert.deepEqual(receiver.taken.slice(7).toSorted(), ids);
  await until('it is done', async () => {
    const rows = await world.db.query<{ state: string; replayed: number }>({
      name: 'test_replays',
      text: 'select state, replayed from webhook_replays',
    });
    return rows.length === 1 && rows[0]?.state === 'done' && rows[0].replayed === 5;
  });
  const [oldest = ''] = ids;
  await world.db.query({ name: 'test_fail', text: `update webhook_deliveries set state = 'failed' where id = $1` }, [
    oldest,
  ]);
  await world.replays.begin(tenant.tenant, id, { since: before, until: Date.now(), only_failed: true });
  await until('the failed one is told', () => receiver.taken.length === 13);
  assert.equal(receiver.taken[12], oldest);
});

test('a receiver that dies at random ends with exactly the stream', async (t) => {
  const world = await webhookWorld(t);
  const tenant = await world.tenant();
  let receiver: Sink = await world.sink();
  const { port, url } = receiver;
  await world.endpoint(tenant, url);
  await world.start();
  const taken = new Set<string>();
  const mortal = (one: Sink) => {
    one.answer = ({ id }, response) => {
      // Sometimes it has taken the event and dies before it says so.
      if (Math.random() < 0.1) {
        if (Math.random() < 0.5) taken.add(id);
        response.destroy();
        return null;
      }
      taken.add(id);
      return 200;
    };
  };
  mortal(receiver);
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 25; i++) await tenant.accept();
    await receiver.close();
    for (let i = 0; i < 5; i++) await tenant.accept();
    receiver = await sink(port);
    t.after(receiver.close);
    mortal(receiver);
  }
  const log = await logOf(world, tenant.tenant);
  assert.equal(log.length, 120);
  await until('it has all', async () => {
    // What was refused is tried again now, and not in its time: five or thirty seconds, or minutes, which no call takes.
    await world.db
      .script(
        `update webhook_deliveries set due_at = now() where detail is not null and due_at > now()
          and (due_at <= tried_at + interval '31 s' or due_at > now() + interval '31 s')`,
      )
      .catch(() => {});
    return taken.size === log.length;
  });
  assert.deepEqual([...taken].toSorted(), log.map(({ id }) => id).toSorted());
});

test('what is old is forgotten with its tries, and all of an endpoint that was deleted; what waits is kept', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver] = [await world.tenant(), await world.sink()];
  const [kept, deleted] = [await world.endpoint(tenant, receiver.url), await world.endpoint(tenant, receiver.url)];
  receiver.answer = () => 500;
  const instance = await world.start();
  for (let i = 0; i < 3; i++) await tenant.accept();
  await until('all are tried', async () => {
    const rows = [...(await world.listed(tenant, kept.id)), ...(await world.listed(tenant, deleted.id))];
    return rows.filter((row) => row.status === 500).length === 6;
  });
  await instance.stop();
  const [newest, middle] = await world.listed(tenant, kept.id);
  const end = `update webhook_deliveries set state = 'failed', due_at = null, ended_at = now() where id = any($1)`;
  await world.db.query({ name: 'test_end', text: end }, [[newest?.id, middle?.id]]);
  assert.notEqual(await world.endpoints.remove(tenant.tenant, deleted.id), 'not_found');
  const going = new AbortController().signal;
  await forgetDeliveries(world.db, 86_400_000, Date.now(), going);
  assert.deepEqual(
    [(await world.listed(tenant, kept.id)).length, (await world.listed(tenant, deleted.id)).length],
    [3, 0],
  );
  await forgetDeliveries(world.db, 86_400_000, Date.now() + 2 * 86_400_000, going);
  assert.deepEqual(
    (await world.listed(tenant, kept.id)).map(({ state }) => state),
    ['pending'],
  );
  const [tries] = await world.db.query<{ n: number }>({
    name: 'test_tries',
    text: 'select count(*)::int as n from webhook_attempts',
  });
  assert.equal(tries?.n, 1);
});

test('an event that the log keeps no longer fails its delivery, and tells why', async (t) => {
  const world = await webhookWorld(t);
  const [tenant, receiver] = [await world.tenant(), await world.sink()];
  const { id } = await world.endpoint(tenant, receiver.url);
  receiver.answer = () => 500;
  await world.start();
  await tenant.accept();
  await until('it failed once', async () => (await world.listed(tenant, id))[0]?.status === 500);
  await world.db.query({ name: 'test_prune', text: 'delete from events where tenant_id = $1' }, [tenant.tenant]);
  await world.makeDue();
  await until('it has failed', async () => (await world.listed(tenant, id))[0]?.state === 'failed');
  const [delivery] = await world.listed(tenant, id);
  assert.deepEqual(
    [delivery?.detail, delivery?.status, receiver.posted.length],
    ['its event is kept no longer', null, 1],
  );
});

for (const failpoint of ['webhook_out.before_commit', 'webhook_out.after_claim', 'webhook_out.after_call']) {
  test(`killed at ${failpoint}: another instance tells what is left, and leaves nothing out`, async (t) => {
    const world = await webhookWorld(t);
    const [tenant, receiver] = [await world.tenant(), await world.sink()];
    await world.endpoint(tenant, receiver.url);
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./webhook-process.ts', import.meta.url)), world.database.url, `${failpoint}=kill@2`],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
    );
    t.after(() => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    let alive = true;
    child.once('exit', () => {
      alive = false;
    });
    // One by one, so that there are several rounds before it dies.
    while (alive) {
      const told = receiver.taken.length;
      await tenant.accept();
      await until('it is told, or the instance is dead', () => !alive || receiver.taken.length > told);
    }
    const [, signal] = await ended;
    assert.equal(signal, 'SIGKILL');
    const log = (await logOf(world, tenant.tenant)).map(({ id }) => id);
    await world.db.script(`update event_consumers set held_until = null`);
    await world.start();
    await until('all is told', async () => {
      await world.db
        .script(`update webhook_deliveries set due_at = now() where due_at > now() + interval '1 s'`)
        .catch(() => {});
      return new Set(receiver.taken).size === log.length;
    });
    assert.deepEqual([...new Set(receiver.taken)].toSorted(), log.toSorted());
  });
}
