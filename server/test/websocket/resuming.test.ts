import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ConversationId, TenantId } from '../../src/domain/ids.ts';
import { until } from '../until.ts';
import {
  chainFlaw,
  direct,
  type Frame,
  group,
  type SocketWorld,
  socketWorld,
  TEXT,
  type TestInstance,
} from './socket-world.ts';

let world: SocketWorld;
let one: TestInstance;
before(async () => {
  world = await socketWorld();
  one = await world.instance();
});
after(() => world.close());

async function sayMany(tenant: TenantId, conversation: ConversationId, from: number, many: number, by = 'ann') {
  const said = Array.from({ length: many }, (_, n) =>
    one.chat.say(tenant, conversation, by, { ...TEXT, content: `text ${from + n}` }, null),
  );
  await Promise.all(said);
}

const texts = (frames: readonly { type: string; payload: { message: Record<string, unknown> } }[]) =>
  frames.filter((frame) => frame.type === 'new_message').map((frame) => String(frame.payload.message['content']));

test('a client that was away gets all it missed, from memory and from the log, and goes on without a gap or a double', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const first = one.connect({ key, user: 'ben' });
  await first.next('hello');
  await sayMany(tenant, conversation, 0, 10);
  await until('ten came', () => texts(first.events()).length === 10);
  const cursor = first.events()[3]?.cursor;
  first.ws.terminate();
  await sayMany(tenant, conversation, 10, 700);
  // An instance that has kept nothing reads the log; the first one has all in memory.
  const other = await world.instance();
  for (const at of [one, other]) {
    const again = at.connect({ key, user: 'ben', query: `?after=${cursor}` });
    const writing = sayMany(tenant, conversation, 1000, 20);
    const hello = await again.next('hello');
    assert.equal(hello.payload['cursor'], cursor);
    await again.next('resumed');
    await writing;
    await until('all came', () => {
      const came = texts(again.events());
      return new Set(came).size >= 726 && came.length === 6 + 700 + (at === one ? 20 : 40);
    });
    assert.equal(chainFlaw(again.events(), String(cursor)), null);
    again.ws.close();
  }
  await other.stop();
});

test('resume by a frame goes back to the cursor', async () => {
  const { tenant, key } = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const socket = one.connect({ key, user: 'ben' });
  const hello = await socket.next('hello');
  await sayMany(tenant, conversation, 0, 5);
  await until('five came', () => texts(socket.events()).length === 5);
  socket.send('resume', { cursor: hello.payload['cursor'] });
  const resuming = await socket.next('resuming');
  assert.equal(resuming.payload['cursor'], hello.payload['cursor']);
  await socket.next('resumed');
  const again = socket.frames.slice(socket.frames.indexOf(resuming)).filter((frame) => frame.id !== undefined);
  assert.equal(texts(again).length, 5);
  assert.equal(chainFlaw(again, String(hello.payload['cursor'])), null);
  socket.ws.close();
});

test('who resumes sees of a conversation what he was there for, and others nothing of it', async () => {
  const { tenant, key } = await world.people();
  const conversation = await group(one, tenant, ['ann', 'ben']);
  const software = one.connect({ key });
  const { cursor } = (await software.next('hello')).payload;
  await sayMany(tenant, conversation, 0, 2);
  await one.chat.removeParticipant(tenant, 'ann', conversation, 'ben');
  await sayMany(tenant, conversation, 2, 2);
  await one.chat.addParticipants(tenant, 'ann', conversation, [{ user_id: 'cem' }]);
  await sayMany(tenant, conversation, 4, 2);
  const other = await world.instance();
  for (const at of [one, other]) {
    const seen: Record<string, string[]> = {};
    for (const user of ['ann', 'ben', 'cem', 'zoe']) {
      const socket = at.connect({ key, user, query: `?after=${cursor}` });
      await socket.next('resumed');
      // What was committed a moment ago may come behind that; once one has seen it, all can.
      if (user === 'ann') await until('ann has all', () => texts(socket.events()).length === 6);
      seen[user] = texts(socket.events());
      socket.ws.close();
    }
    assert.equal(seen['ann']?.length, 6);
    assert.deepEqual([seen['ben'], seen['cem'], seen['zoe']], [seen['ann']?.slice(0, 2), seen['ann']?.slice(4), []]);
  }
  software.ws.close();
  await other.stop();
});

test('a cursor of another tenant, of another database, or before what is kept closes the socket with its code', async () => {
  const { tenant, key } = await world.people();
  const others = await world.people();
  const conversation = await direct(one, tenant, 'ann', 'ben');
  const socket = one.connect({ key, user: 'ben' });
  await socket.next('hello');
  await sayMany(tenant, conversation, 0, 2);
  await until('two came', () => texts(socket.events()).length === 2);
  const [old] = socket.events();

  const foreign = one.connect({ key: others.key, user: 'ben', query: `?after=${old?.cursor}` });
  assert.equal((await foreign.closed()).code, 4202);
  const nonsense = one.connect({ key, user: 'ben', device: 'x', query: '?after=nonsense' });
  assert.deepEqual(await nonsense.closed(), { code: 4202, reason: 'invalid_cursor' });
  const bytes = Buffer.from(String(old?.cursor), 'base64url');
  bytes.writeBigUInt64BE(2n ** 40n, 4);
  const future = one.connect({ key, user: 'ben', device: 'y', query: `?after=${bytes.toString('base64url')}` });
  assert.equal((await future.closed()).code, 4202);

  await world.db.query(
    {
      name: 'test_prune',
      text: `update tenants set (events_pruned_xid, events_pruned_id) = (select xid, id from events where tenant_id = $1 order by xid desc, id desc limit 1) where id = $1`,
    },
    [tenant],
  );
  const fresh = await world.instance();
  const expired = fresh.connect({ key, user: 'ben', query: `?after=${old?.cursor}` });
  assert.deepEqual(await expired.closed(), { code: 4201, reason: 'cursor_expired' });
  socket.send('resume', { cursor: 'nonsense' });
  assert.equal((await socket.closed()).code, 4202);
  await fresh.stop();
});

test('clients that are cut at random, on two instances, end with the same log as one that was never cut', async () => {
  const other = await world.instance({ 'ws.client_buffer_size': 16 });
  const { tenant, key } = await world.people();
  const conversation = await group(one, tenant, ['ann', 'ben', 'cem']);
  const steady = one.connect({ key, user: 'ben', device: 'steady' });
  const start = String((await steady.next('hello')).payload['cursor']);
  const total = 600;
  let finished = false;
  const writing = (async () => {
    for (let n = 0; n < total; n += 10) await sayMany(tenant, conversation, n, 10, n % 20 === 0 ? 'ann' : 'cem');
    finished = true;
  })();
  const client = async (name: string, seed: number) => {
    const log: Frame[] = [];
    let cursor = start;
    let random = seed;
    for (let round = 0; ; round++) {
      random = (random * 48271) % 2147483647;
      const at = random % 2 === 0 ? one : other;
      const socket = at.connect({ key, user: 'ben', device: name, query: `?after=${cursor}` });
      const most = finished && round > 5 ? Number.POSITIVE_INFINITY : random % 60;
      await socket.next('hello');
      const whole = () => texts(log).length + texts(socket.events()).length >= total;
      await until('some came', () => socket.events().length >= most || whole() || socket.ws.readyState !== 1);
      socket.ws.terminate();
      log.push(...socket.events());
      cursor = log.at(-1)?.cursor ?? start;
      if (texts(log).length >= total) return log;
    }
  };
  const logs = await Promise.all([client('a', 11), client('b', 23), client('c', 37)]);
  await writing;
  await until('the steady one has all', () => texts(steady.events()).length >= total);
  const expected = steady.events().map((frame) => frame.id);
  for (const log of logs) {
    assert.deepEqual(
      log.map((frame) => frame.id),
      expected,
    );
    assert.equal(chainFlaw(log, start), null);
  }
  steady.ws.close();
});
