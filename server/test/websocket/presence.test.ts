import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createDevices } from '../../src/actions/devices.ts';
import type { Db } from '../../src/db/pool.ts';
import type { InstanceId, TenantId } from '../../src/domain/ids.ts';
import { newId } from '../../src/domain/ids.ts';
import { memorySignals, type Word } from '../../src/signals/signals.ts';
import { findPresence } from '../../src/store/devices.read.ts';
import { beatInstance } from '../../src/store/lanes.write.ts';
import { until } from '../until.ts';
import { direct, group, type SocketWorld, socketWorld, type TestInstance, type TestSocket } from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
});
after(() => world.close());

const deviceOf = (tenant_id: TenantId, user_id: string, device_id: string) => ({
  ...{ tenant_id, user_id, device_id, platform: null, app_version: null },
});

/** What an instance writes of its devices, with signals that reach all of them. */
async function twoWriters() {
  const signals = memorySignals();
  const words: Extract<Word, { kind: 'presence' }>[] = [];
  signals.hear((word) => {
    if (word.kind === 'presence') words.push(word);
  });
  const writer = async () => {
    const instance = newId<InstanceId>();
    await beatInstance(world.db, instance, 60_000, 'test');
    return createDevices({ db: world.db, signals, instance });
  };
  return { words, first: await writer(), second: await writer() };
}

/** Keeps the answers to a statement back until it is let go, as a slow network does. */
function holdBack(db: Db, name: string) {
  const query = db.query.bind(db);
  const gate = Promise.withResolvers<void>();
  let held = 0;
  db.query = async <Row extends object>(statement: { name: string; text: string }, values?: readonly unknown[]) => {
    const rows = await query<Row>(statement, values);
    if (statement.name === name) {
      held++;
      await gate.promise;
    }
    return rows;
  };
  return {
    held: () => held,
    letGo() {
      db.query = query;
      gate.resolve();
    },
  };
}

test('one who moves from an instance to another at the same moment is never told to be away', async () => {
  const { tenant } = await world.people();
  const { words, first, second } = await twoWriters();
  first.note(deviceOf(tenant, 'ann', 'phone'), true);
  await first.write();
  assert.deepEqual(
    words.map(({ online }) => online),
    [true],
  );
  // A transaction that has written when ann was last seen holds the one of the first instance open, after it has looked around.
  let leaving: Promise<void> = Promise.resolve();
  await world.db
    .transaction(async (tx) => {
      const text = "insert into last_seen (tenant_id, user_id, at) values ($1, 'ann', clock_timestamp())";
      await tx.query({ name: 'test_seen', text }, [tenant]);
      first.note(deviceOf(tenant, 'ann', 'phone'), false);
      leaving = first.write();
      await until('the first instance waits', async () => {
        const waiting =
          "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%devices d using given%'";
        return (await world.db.query<object>({ name: 'test_waiting', text: waiting })).length > 0;
      });
      second.note(deviceOf(tenant, 'ann', 'phone'), true);
      await second.write();
      throw new Error('undone');
    })
    .catch(() => {});
  await leaving;
  const [presence] = await findPresence(world.db, tenant, null, ['ann']);
  assert.equal(presence?.online, true);
  assert.equal(words.at(-1)?.online, true);
  assert.ok(words.every(({ online }) => online));
  second.note(deviceOf(tenant, 'ann', 'phone'), false);
  await second.write();
  assert.equal(words.at(-1)?.online, false);
});

test('who comes again is told with when he was last seen', async () => {
  const { tenant, key } = await world.people();
  await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  await ann.next('hello');
  ann.send('subscribe', { users: ['ben'] });
  await ann.next('presence', ({ payload }) => payload['online'] === false && payload['last_seen'] === null);
  const first = one.connect({ key, user: 'ben' });
  await ann.next('presence', ({ payload }) => payload['online'] === true && payload['last_seen'] === null);
  first.ws.close();
  const gone = await ann.next('presence');
  assert.equal(gone.payload['online'], false);
  const second = one.connect({ key, user: 'ben' });
  const back = await ann.next('presence');
  assert.deepEqual([back.payload['online'], back.payload['last_seen']], [true, gone.payload['last_seen']]);
  for (const socket of [ann, second]) socket.ws.close();
});

test('who comes while his presence is being read is there for whoever asked', async () => {
  const { tenant, key } = await world.people();
  await direct(one, tenant, 'ann', 'ben');
  const other = await world.instance();
  const ann = other.connect({ key, user: 'ann' });
  await ann.next('hello');
  const slow = holdBack(other.db, 'devices_presence');
  ann.send('subscribe', { users: ['ben', 'ben'], client_id: 's' });
  await until('it is read', () => slow.held() > 0);
  const ben = other.connect({ key, user: 'ben' });
  await ben.next('hello');
  await until('ben is there', async () => (await findPresence(world.db, tenant, null, ['ben']))[0]?.online === true);
  slow.letGo();
  await ann.next('subscribed');
  await ann.next('presence', ({ payload }) => payload['online'] === true);
  ann.send('ping');
  await ann.next('pong');
  const told = ann.frames.filter(({ type }) => type === 'presence').map(({ payload }) => payload['online']);
  assert.equal(told.at(-1), true);
  ben.ws.close();
  await ann.next('presence', ({ payload }) => payload['online'] === false);
  await other.stop();
});

test('nothing of a subscription that is refused holds', async () => {
  const { tenant, key } = await world.people();
  await direct(one, tenant, 'ann', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const software = one.connect({ key });
  await Promise.all([ann.next('hello'), software.next('hello')]);
  ann.send('subscribe', { users: ['ben', 'zoe'], client_id: 'a' });
  const { payload } = await ann.next('error');
  assert.deepEqual([payload['code'], payload['details']], ['forbidden', { field: 'payload.users', user_id: 'zoe' }]);
  software.send('subscribe', { users: ['ben'], types: ['no.such'], client_id: 'b' });
  assert.equal((await software.next('error')).payload['code'], 'invalid_field');
  const ben = one.connect({ key, user: 'ben' });
  const heard = one.connect({ key });
  await Promise.all([ben.next('hello'), heard.next('hello')]);
  heard.send('subscribe', { users: ['ben'] });
  await heard.next('presence', (frame) => frame.payload['online'] === true);
  ben.ws.close();
  await heard.next('presence', (frame) => frame.payload['online'] === false);
  for (const socket of [ann, software]) {
    assert.deepEqual(
      socket.frames.filter(({ type }) => type === 'presence' || type === 'subscribed'),
      [],
    );
  }
  for (const socket of [ann, software, heard]) socket.ws.close();
});

test('software that may read events and no conversations is told of no presence', async () => {
  const { tenant } = await world.tenant();
  const { key } = await world.key(tenant, ['events:read']);
  const software = one.connect({ key });
  await software.next('hello');
  software.send('subscribe', { users: ['ben'] });
  const { payload } = await software.next('error');
  assert.deepEqual([payload['code'], payload['details']], ['forbidden', { scope: 'conversations:read' }]);
  software.ws.close();
});

test('that an instance died is told within seconds of the end of its lease', async () => {
  const { tenant, key } = await world.people();
  await direct(one, tenant, 'ann', 'ben');
  const instance = newId<InstanceId>();
  await beatInstance(world.db, instance, 60_000, 'test');
  const devices = createDevices({ db: world.db, signals: memorySignals(), instance });
  devices.note(deviceOf(tenant, 'ben', 'phone'), true);
  await devices.write();
  const other = await world.instance();
  const ann = other.connect({ key, user: 'ann' });
  await ann.next('hello');
  ann.send('subscribe', { users: ['ben'] });
  await ann.next('presence', ({ payload }) => payload['online'] === true);
  const text = "update instances set expires_at = clock_timestamp() - interval '6 seconds' where id = $1";
  await world.db.query({ name: 'test_expired', text }, [instance]);
  other.pass(5_000);
  const gone = await ann.next('presence');
  assert.equal(gone.payload['online'], false);
  assert.ok(Date.now() - Date.parse(String(gone.payload['last_seen'])) >= 6_000);
  await other.stop();
});

test('who shares no conversation with a user any more is not told of him any more', async () => {
  const { tenant, key } = await world.people();
  const shared = await group(one, tenant, ['ann', 'ben', 'cem']);
  await direct(one, tenant, 'cem', 'ben');
  const ann = one.connect({ key, user: 'ann' });
  const cem = one.connect({ key, user: 'cem' });
  for (const socket of [ann, cem]) {
    await socket.next('hello');
    socket.send('subscribe', { users: ['ben'] });
    await socket.next('presence', ({ payload }) => payload['online'] === false);
  }
  const toldOf = async (socket: TestSocket, online: boolean) => {
    await cem.next('presence', ({ payload }) => payload['online'] === online);
    socket.send('ping');
    await socket.next('pong');
    return socket.frames.filter(({ type, payload }) => type === 'presence' && payload['online'] === online).length;
  };
  const first = one.connect({ key, user: 'ben' });
  assert.equal(await toldOf(ann, true), 1);
  first.ws.close();
  await toldOf(ann, false);
  await one.chat.removeParticipant(tenant, 'ann', shared, 'ben');
  await until('ann is told nothing of ben', async () => {
    const before = ann.frames.filter(({ type }) => type === 'presence').length;
    const ben = one.connect({ key, user: 'ben' });
    await toldOf(ann, true);
    ben.ws.close();
    await toldOf(ann, false);
    return ann.frames.filter(({ type }) => type === 'presence').length === before;
  });
  for (const socket of [ann, cem]) socket.ws.close();
});

test('an instance that was taken for dead writes its devices again', async () => {
  const { tenant, key } = await world.people();
  await direct(one, tenant, 'ann', 'ben');
  const other = await world.instance();
  const ann = one.connect({ key, user: 'ann' });
  const ben = other.connect({ key, user: 'ben', device: 'phone' });
  await Promise.all([ann.next('hello'), ben.next('hello')]);
  const online = async () => (await findPresence(world.db, tenant, null, ['ben']))[0]?.online === true;
  await until('ben is there', online);
  await world.db.query({ name: 'test_swept', text: 'delete from devices where instance_id = $1' }, [other.id]);
  assert.equal(await online(), false);
  other.pass(5_000);
  await until('ben is there again', online);
  for (const socket of [ann, ben]) socket.ws.close();
  await other.stop();
});
