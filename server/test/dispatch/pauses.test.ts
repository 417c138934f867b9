import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, type TestContext, test } from 'node:test';
import { recordNumberFacts } from '../../src/actions/check-connections.ts';
import { endPause, openPauses } from '../../src/actions/pauses.ts';
import { createSenders } from '../../src/actions/senders.ts';
import { tendSenderWork } from '../../src/actions/tend-senders.ts';
import { createMarker } from '../../src/channels/whatsapp/mark.ts';
import { whatsappChannel } from '../../src/channels/whatsapp/whatsapp-channel.ts';
import type { Db } from '../../src/db/pool.ts';
import { createPauses, type Pauses } from '../../src/dispatch/pauses.ts';
import type { Channel, WhatsAppSender } from '../../src/domain/channel.ts';
import { newId, type SenderId } from '../../src/domain/ids.ts';
import type { Pause } from '../../src/domain/pause.ts';
import { providerClient } from '../../src/net/provider-client.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startAll } from '../../src/runtime/lifecycle.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { createSealer } from '../../src/runtime/sealer.ts';
import { findPauses } from '../../src/store/pauses.read.ts';
import { type EngineWorld, engineWorld, type TenantWorld } from '../engine-world.ts';
import { assertSound } from '../soundness.ts';
import { until } from '../until.ts';
import { type SendingOptions, sendingLoop } from './sending-loop.ts';

/*
 * What stands still because of what the provider answers, and goes on again: the whole sending loop, over real calls to a server that
 * answers as a test says.
 */

let world: EngineWorld;
before(async () => {
  world = await engineWorld();
});
// What an earlier test left open would be sent by the next one's loop.
beforeEach(() => world.db.script('update senders set enabled = false; delete from pauses'));
afterEach(() => assertSound(world.db));
after(() => world.close());

/** An answer to a send: sent, an error code, a status without an answer of the Graph API, or a cut connection. */
type Answer = 'sent' | { code: number } | { status: number } | 'cut';

interface Graph {
  channel: Channel<WhatsAppSender>;
  /** What a sender is answered; those that are not named: sent. */
  answers: Map<SenderId, Answer | ((to: string) => Answer)>;
  /** The senders of the calls so far. */
  calls: SenderId[];
  count(own: TenantWorld): number;
}

async function graph(t: TestContext): Promise<Graph> {
  const answers: Graph['answers'] = new Map();
  const calls: SenderId[] = [];
  const server = createServer((request, response) => {
    const sender = request.url?.split('/')[2] as SenderId;
    calls.push(sender);
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const told = answers.get(sender) ?? 'sent';
      const answer = typeof told === 'function' ? told((JSON.parse(body) as { to: string }).to) : told;
      const say = (status: number, what: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(what));
      if (answer === 'cut') request.socket.destroy();
      else if (answer === 'sent') say(200, { messages: [{ id: `wamid.${newId()}` }] });
      else if ('status' in answer) say(answer.status, { oh: 'dear' });
      else say(400, { error: { message: `(#${answer.code}) told`, code: answer.code } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = providerClient({ origin: `http://127.0.0.1:${port}`, connections: 20, timeout: 2000 });
  const real = whatsappChannel({ client, marker: createMarker(randomBytes(32)), version: 'v26.0' });
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await client.close();
  });
  return {
    channel: {
      ...real,
      prepare: (attempt, sender) => real.prepare(attempt, { ...sender, phone_number_id: sender.id }),
    },
    answers,
    calls,
    count: ({ sender }) => calls.filter((id) => id === sender).length,
  };
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };

function newPauses(db: Db = world.db): Pauses {
  const { signals } = world;
  const metrics = createMetrics({ version: 'test', node: false });
  return createPauses({ db, signals, clock: systemClock, logger: silent, metrics, every: 50, random: () => 1 });
}

/** An instance that sends by the graph's channel. */
async function sending(t: TestContext, own: TenantWorld, { channel }: Graph, options: SendingOptions = {}) {
  const gate = newPauses();
  t.after(() => gate.stop());
  await gate.start();
  const loop = sendingLoop(t, world, own, channel, { ...options, gate, random: 0 });
  const running = await loop.start();
  return { gate, stop: async () => assert.deepEqual([await running.stop(), await gate.stop()], [[], undefined]) };
}

const accepted = (own: TenantWorld, count: number) => Promise.all(Array.from({ length: count }, () => own.accept()));
const allPauses = () => findPauses(world.db, null, null, 100);
const about = (pauses: readonly Pause[]) => pauses.map(({ scope, key, cause, probes }) => [scope, key, cause, probes]);

/** Waits until so many of a tenant's messages are in a state. */
async function states(own: TenantWorld, wanted: Record<string, number>): Promise<void> {
  let found = {};
  const text = `
select coalesce(d.state, m.state)::text as state, count(*)::int as count from messages m
left join due d on d.tenant_id = m.tenant_id and d.message_id = m.id where m.tenant_id = $1 group by 1`;
  await until(`${JSON.stringify(wanted)} instead of ${JSON.stringify(found)}`, async () => {
    const rows = await world.db.query<{ state: string; count: number }>({ name: 'test_states', text }, [own.tenant]);
    found = Object.fromEntries(rows.map(({ state, count }) => [state, count]));
    return Object.entries(wanted).every(([state, count]) => (found as Record<string, number>)[state] === count);
  });
}

/** A message of another tenant that leaves by the same loop: whatever could leave before it has left. */
async function pastAnother(other: TenantWorld): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const id = await other.accept();
    await until('another message is sent', async () => (await other.read(id)).state === 'sent');
  }
}

/** Lets the time for a probe come. */
async function probeNow(): Promise<void> {
  await world.db.script("update pauses set probe_at = clock_timestamp() - interval '1 ms'");
  world.signals.notify('pauses');
}

test('token trouble shuts its sender alone, and fails no message; a new token lets all go at once', async (t) => {
  const server = await graph(t);
  const [own, other] = [await world.tenant(), await world.tenant()];
  server.answers.set(own.sender, { code: 190 });
  await accepted(own, 30);
  const { gate } = await sending(t, own, server, { maxInFlight: 4, maxAttempts: 1 });
  await until('it stands still', async () => (await allPauses()).length > 0);
  assert.deepEqual(about(await allPauses()), [['sender', own.sender, 'token_invalid', 0]]);
  await pastAnother(other);
  const tried = server.count(own);
  assert.ok(tried <= 8, `${tried} calls`);
  await pastAnother(other);
  assert.equal(server.count(own), tried, 'nothing more is tried');
  await states(own, { queued: 30 });
  assert.equal(gate.room(own.sender, performance.now()), 0);
  await until('it is told', () => gate.summary.byScope.sender === 1);

  server.answers.delete(own.sender);
  const sealer = createSealer([{ version: 1, key: Buffer.alloc(32, 7) }]);
  const changed = await createSenders({ ...world, sealer }).change(own.tenant, own.sender, { access_token: 'new' });
  assert.ok(typeof changed === 'object');
  await tendSenderWork(world.db, world.signals, new AbortController().signal);
  await states(own, { sent: 30 });
  assert.deepEqual(await allPauses(), []);
});

test('a token that was found to be good ends the pause', async (t) => {
  const server = await graph(t);
  const own = await world.tenant();
  server.answers.set(own.sender, { code: 0 });
  const id = await own.accept();
  await sending(t, own, server);
  await until('it stands still', async () => (await allPauses()).length > 0);
  server.answers.delete(own.sender);
  const fact = { tenant_id: own.tenant, id: own.sender, access_token_sealed: Buffer.from('sealed'), was: null };
  await recordNumberFacts(world.db, world.signals, [{ ...fact, connected: true, detail: null, phone: null }]);
  await until('it is sent', async () => (await own.read(id)).state === 'sent');
});

test('a pause outlives its instance; one message at a time goes to see, until one goes well', async (t) => {
  const server = await graph(t);
  const [own, other] = [await world.tenant(), await world.tenant()];
  // Both are of one account.
  const neighbour = await world.tenant();
  await world.db.script(`update senders set account_id = '200' where id in ('${own.sender}', '${neighbour.sender}')`);
  server.answers.set(own.sender, { code: 131042 });
  server.answers.set(neighbour.sender, { code: 131042 });
  await accepted(own, 10);
  const first = await sending(t, own, server, { maxInFlight: 4 });
  await until('it stands still', async () => (await allPauses()).length > 0);
  await pastAnother(other);
  await first.stop();

  const tried = server.calls.length - server.count(other);
  const { gate } = await sending(t, own, server);
  await accepted(neighbour, 10);
  await pastAnother(other);
  assert.equal(server.calls.length - server.count(other), tried, 'the next instance knows');
  assert.deepEqual(about(await allPauses()), [['account', 'default/200', 'payment_trouble', 0]]);

  await probeNow();
  await until('a probe was made', async () => (await allPauses())[0]?.probes === 1);
  await pastAnother(other);
  assert.equal(server.calls.length - server.count(other), tried + 1, 'one of both');
  const [again] = await allPauses();
  assert.ok((again?.probe_at?.getTime() ?? 0) > Date.now() + 200_000, 'the next comes later');

  server.answers.clear();
  await probeNow();
  await states(own, { sent: 10 });
  await states(neighbour, { sent: 10 });
  await until('nothing stands still', async () => (await allPauses()).length === 0);
  assert.equal(gate.until(own.sender), Number.NEGATIVE_INFINITY);
});

test('a breaker trips for its sender, fails no message for lack of attempts, and heals by a probe', async (t) => {
  const server = await graph(t);
  const [own, other] = [await world.tenant(), await world.tenant()];
  await world.db.script(
    `update senders set messages_per_second = 5000 where id in ('${own.sender}', '${other.sender}')`,
  );
  server.answers.set(own.sender, { code: 131016 });
  await accepted(own, 40);
  const { gate } = await sending(t, own, server, { maxInFlight: 4, maxAttempts: 3 });
  await until('it is open', async () => (await allPauses()).length > 0);
  assert.deepEqual(about(await allPauses()), [['sender', own.sender, 'provider_trouble', 0]]);
  await pastAnother(other);
  await until('it is told', () => gate.summary.breaker === 'open');
  const tried = server.count(own);
  await pastAnother(other);
  assert.equal(server.count(own), tried);
  await states(own, { queued: 40 });

  await probeNow();
  await until('a probe was made', async () => (await allPauses())[0]?.probes === 1);
  assert.equal(server.count(own), tried + 1);
  server.answers.clear();
  await probeNow();
  await states(own, { sent: 40 });
  await until('it is closed', () => gate.summary.breaker === 'closed');
});

test('connections that are cut trip a breaker: the doubt stays doubt, and no more of it is made', async (t) => {
  const server = await graph(t);
  const own = await world.tenant();
  await world.db.script(`update senders set messages_per_second = 5000 where id = '${own.sender}'`);
  server.answers.set(own.sender, 'cut');
  await accepted(own, 60);
  await sending(t, own, server, { maxInFlight: 5 });
  await until('it is open', async () => (await allPauses()).length > 0);
  const tried = () => server.count(own);
  await until('nothing is under way', async () => {
    const rows = await world.db.query<{ count: number }>(
      { name: 'test_under_way', text: "select count(*)::int from due where tenant_id = $1 and state = 'sending'" },
      [own.tenant],
    );
    return rows[0]?.count === 0;
  });
  assert.ok(tried() <= 20, `${tried()} calls`);
  await states(own, { unconfirmed: tried(), queued: 60 - tried() });
});

test('two senders of an account in trouble, and none that goes well: the account stands still', async (t) => {
  const server = await graph(t);
  const [a, b, idle, other] = [await world.tenant(), await world.tenant(), await world.tenant(), await world.tenant()];
  const all = [a, b, idle].map(({ sender }) => `'${sender}'`).join(', ');
  await world.db.script(`update senders set account_id = '300' where id in (${all})`);
  await world.db.script('update senders set messages_per_second = 5000 where enabled');
  for (const { sender } of [a, b, idle]) server.answers.set(sender, { status: 503 });
  const { gate } = await sending(t, a, server, { maxInFlight: 4, grace: 3_600_000 });
  await pastAnother(other);
  await Promise.all([accepted(a, 30), accepted(b, 30)]);
  await until('the account stands still', async () => (await allPauses()).some(({ scope }) => scope === 'account'));
  assert.deepEqual(about(await allPauses()), [['account', 'default/300', 'provider_trouble', 0]]);
  await until('the third knows', () => gate.room(idle.sender, performance.now()) === 0);
  await pastAnother(other);
  server.answers.clear();
  await accepted(idle, 3);
  await probeNow();
  await states(idle, { sent: 3 });
  await until('nothing stands still', async () => (await allPauses()).length === 0);
});

test('a country that an account may not write to is put off, all others are sent; a person ends it', async (t) => {
  const server = await graph(t);
  const own = await world.tenant();
  server.answers.set(own.sender, (to) => (to.startsWith('+62') ? { code: 130497 } : 'sent'));
  const held = await accepted(own, 5);
  await sending(t, own, server, { maxInFlight: 2 });
  await until('it stands still', async () => (await allPauses()).length > 0);
  assert.deepEqual(about(await allPauses()), [['country', 'default/1/ID', 'country_restricted', 0]]);
  const abroad = await own.accept({ address: '+14155550100' });
  await until('others are sent', async () => (await own.read(abroad)).state === 'sent');
  const why = { name: 'test_why', text: 'select cause from due where tenant_id = $1' };
  await until('each says why it waits', async () =>
    (await world.db.query<{ cause: string | null }>(why, [own.tenant])).every(
      ({ cause }) => cause === 'country_paused',
    ),
  );
  await states(own, { queued: held.length, sent: 1 });
  server.answers.clear();
  const [pause] = await allPauses();
  assert.deepEqual(await endPause(world.db, world.signals, own.tenant, pause?.id ?? ''), pause);
  await states(own, { sent: held.length + 1 });
  assert.equal(await endPause(world.db, world.signals, own.tenant, pause?.id ?? ''), 'not_found');
});

test('what was about to be put off for a country when its pause ended does not wait for it', async (t) => {
  const server = await graph(t);
  const own = await world.tenant();
  const { tenant, sender, lane } = own;
  const told = { code: 130497, title: 'restricted', detail: null, country: 'ID' };
  await openPauses(world.db, world.signals, [
    { tenant, sender, scope: 'country', cause: 'country_restricted', ...told },
  ]);
  const reached = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const query: Db['query'] = async (statement, values) => {
    if (statement.name === 'sending_put_off') {
      reached.resolve();
      await released.promise;
    }
    return world.db.query(statement, values);
  };
  const gate = newPauses();
  t.after(() => gate.stop());
  await gate.start();
  const db: Db = Object.create(world.db, { query: { value: query } });
  await sendingLoop(t, { ...world, db }, own, server.channel, { gate }).start();
  const id = await own.accept();
  await reached.promise;
  const [pause] = await allPauses();
  await endPause(world.db, world.signals, tenant, pause?.id ?? '');
  await gate.refresh([lane]);
  released.resolve();
  await until('it to be sent', async () => (await own.read(id)).state === 'sent');
});

test('a probe that says nothing of the trouble is followed by another, and several instances write one row', async (t) => {
  const server = await graph(t);
  const own = await world.tenant();
  server.answers.set(own.sender, { code: 131048 });
  const id = await own.accept();
  const { gate } = await sending(t, own, server);
  const elsewhere = newPauses();
  t.after(() => elsewhere.stop());
  await startAll([elsewhere]);
  await until('it stands still', async () => (await allPauses()).length > 0);
  await elsewhere.refresh([own.lane]);
  assert.equal(elsewhere.room(own.sender, performance.now()), 0);
  assert.equal(elsewhere.summary.byScope.sender, 1);
  // Told the same by its own call, another instance changes nothing while no probe is due.
  server.answers.set(own.sender, { code: 131026 });
  await probeNow();
  await until('the probe failed for its own reason', async () => (await own.read(id)).state === 'failed');
  assert.deepEqual(about(await allPauses()), [['sender', own.sender, 'restricted', 0]]);
  assert.equal(gate.room(own.sender, performance.now()), 0, 'it rests a moment');
  assert.ok(gate.until(own.sender) < performance.now() + 6000);
});

test("the provider's own wish is waited for, and the longest wait is what a clock that was set back can cost", async (t) => {
  const own = await world.tenant();
  const gate = newPauses();
  t.after(() => gate.stop());
  await gate.start();
  await gate.refresh([own.lane]);
  const told = { kind: 'error', code: 80007, title: 'too fast', detail: null, retryAfter: 120_000 } as const;
  gate.observe(await own.sending(), told);
  assert.ok(gate.until(own.sender) > performance.now() + 110_000, 'at once');
  await until('it is written', async () => (await allPauses()).length > 0);
  const [pause] = await allPauses();
  assert.ok((pause?.probe_at?.getTime() ?? 0) > Date.now() + 110_000);
  await world.db.script("update pauses set probe_at = now() + interval '3 days'");
  const next = newPauses();
  t.after(() => next.stop());
  await next.start();
  await next.refresh([own.lane]);
  const opens = next.until(own.sender);
  assert.ok(opens < performance.now() + 3_600_001);
  await next.refresh([own.lane]);
  assert.equal(next.until(own.sender), opens, 'it comes nearer');
});

test('while the database is away, what is shut is shut here; it is written when the database is back', async (t) => {
  const own = await world.tenant();
  let isAway = true;
  const away = Object.assign(new Error('terminating connection'), { code: '57P01' });
  const db: Db = {
    ...world.db,
    query: (...asked) => world.db.query(...asked),
    transaction: (work) => (isAway ? Promise.reject(away) : world.db.transaction(work)),
  };
  const gate = newPauses(db);
  t.after(() => gate.stop());
  await gate.start();
  await gate.refresh([own.lane]);
  const told = { kind: 'error', code: 190, title: 'token', detail: null, retryAfter: null } as const;
  const [one, two] = [await own.sending(), await own.sending()];
  gate.observe(one, told);
  gate.observe(two, told);
  await gate.refresh([own.lane]);
  assert.equal(gate.room(own.sender, performance.now()), 0);
  assert.deepEqual(await allPauses(), []);
  isAway = false;
  await until('it is written', async () => (await allPauses()).length > 0);
  assert.deepEqual(about(await allPauses()), [['sender', own.sender, 'token_invalid', 0]]);
});

test('a probe is offered to one sender after the other, until one has something to send', async (t) => {
  // One after the other: each takes the lanes that nobody owns, and leaves those that another is about to.
  const all = [await world.tenant(), await world.tenant(), await world.tenant()] as const;
  const ids = all.map(({ sender }) => sender);
  await world.db.script(`update senders set account_id = '900' where id in (${ids.map((id) => `'${id}'`).join(', ')})`);
  const gate = newPauses();
  t.after(() => gate.stop());
  await gate.start();
  const lanes = all.map(({ lane }) => lane);
  const [first] = all;
  const send = await first.sending();
  const { tenant, sender } = first;
  const trouble = {
    scope: 'account',
    cause: 'account_locked',
    code: 131031,
    title: 'x',
    detail: null,
    country: null,
  } as const;
  await openPauses(world.db, world.signals, [{ tenant, sender, ...trouble }]);
  await probeNow();
  await gate.refresh(lanes);
  const offered = () => ids.filter((id) => gate.room(id, performance.now()) === 1);
  assert.deepEqual(offered(), [ids[0]]);
  assert.deepEqual(offered(), [ids[0]], 'the offer stands until its round is over');
  gate.begun([]);
  assert.deepEqual(offered(), [ids[1]]);
  gate.begun([]);
  assert.deepEqual(offered(), [ids[2]]);
  gate.begun([{ ...send, sender_id: ids[2] as SenderId }]);
  assert.deepEqual(offered(), [], 'it is under way');
  gate.observe({ ...send, sender_id: ids[2] as SenderId }, { kind: 'sent', wamid: 'x' });
  assert.deepEqual(
    ids.map((id) => gate.room(id, performance.now())),
    [1, 1, 1].map(() => Number.POSITIVE_INFINITY),
  );
  await until('it is gone', async () => (await allPauses()).length === 0);
});
