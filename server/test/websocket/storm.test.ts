import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../until.ts';
import {
  chainFlaw,
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

const USERS = Array.from({ length: 24 }, (_, n) => `user-${n}`);

const texts = (frames: readonly Frame[]) =>
  frames.filter((frame) => frame.type === 'new_message').map((frame) => String(frame.payload.message['content']));

test('many who come back at once each get exactly what they missed, where all is kept and where nothing is', async () => {
  const { tenant, key } = await world.people();
  const software = one.connect({ key });
  const start = String((await software.next('hello')).payload['cursor']);
  // Overlapping groups of five, so that each user sees another part of the log.
  const groups = await Promise.all(USERS.map((_, n) => group(one, tenant, around(n))));
  const say = (at: number, text: string) =>
    one.chat.say(tenant, groups[at] as never, USERS[at] as string, { ...TEXT, content: `${at} ${text}` }, null);
  for (let round = 0; round < 60; round++) await Promise.all(USERS.map((_, n) => say(n, `text ${round}`)));
  // Somebody leaves, and comes to know nothing of what is said after it; somebody else comes.
  await one.chat.removeParticipant(tenant, USERS[0] as string, groups[0] as never, 'user-1');
  await one.chat.addParticipants(tenant, USERS[0] as string, groups[0] as never, [{ user_id: 'user-12' }]);
  await Promise.all(USERS.map((_, n) => say(n, 'last')));
  await until('software has all', () => texts(software.events()).length === 61 * USERS.length);
  const log = software.events();

  const fresh = await world.instance();
  for (const at of [one, fresh]) {
    const back = USERS.map((user, n) => {
      // From the beginning, and from places all over the log.
      const cursor = n % 3 === 0 ? start : (log[(n * 41) % log.length]?.cursor ?? start);
      return { user, n, cursor, socket: at.connect({ key, user, query: `?after=${cursor}` }) };
    });
    const late = at.connect({ key, query: `?after=${start}` });
    await Promise.all(back.map(({ socket }) => socket.next('resumed')));
    await late.next('resumed');
    assert.deepEqual(texts(late.events()), texts(log));
    assert.equal(chainFlaw(late.events(), start), null);
    for (const { user, n, cursor, socket } of back) {
      const behind = cursor === start ? log : log.slice(log.findIndex((frame) => frame.cursor === cursor) + 1);
      const expected = texts(behind).filter((text) => mayHear(n, text));
      assert.deepEqual(texts(socket.events()), expected, user);
      assert.equal(chainFlaw(socket.events(), cursor), null, user);
    }
    // And they go on from there.
    await say(5, `after ${at === one}`);
    await until(
      'it came',
      () =>
        texts(back[5]?.socket.events() ?? [])
          .at(-1)
          ?.endsWith(`after ${at === one}`) === true,
    );
    await until('the software has it', () => texts(software.events()).length === texts(log).length + 1);
    log.splice(0, log.length, ...software.events());
    for (const { socket } of back) socket.ws.terminate();
    late.ws.terminate();
  }
  software.ws.close();
  await fresh.stop();
});

/** The members of a group: its maker first. */
function around(n: number): string[] {
  return [0, 1, 2, 3, 4].map((step) => USERS[(n + step) % USERS.length] as string);
}

/** Whether a user was in the group when something was said there. */
function mayHear(user: number, text: string): boolean {
  const [at = '', what = ''] = text.split(/ (.*)/);
  const inIt = around(Number(at)).includes(USERS[user] as string);
  if (at !== '0' || what.startsWith('text')) return inIt;
  return user === 12 || (inIt && user !== 1);
}

test('among many who come back at once a cursor of another database closes its own socket only', async () => {
  const { tenant, key } = await world.people();
  const conversation = await group(one, tenant, ['ann', 'ben']);
  const first = one.connect({ key, user: 'ben' });
  const start = String((await first.next('hello')).payload['cursor']);
  await one.chat.say(tenant, conversation, 'ann', { ...TEXT, content: 'hello' }, null);
  await until('it came', () => texts(first.events()).length === 1);
  const bytes = Buffer.from(start, 'base64url');
  bytes.writeBigUInt64BE(2n ** 40n, 4);
  const future = bytes.toString('base64url');
  const fresh = await world.instance();
  const back = Array.from({ length: 12 }, (_, n) => ({
    wrong: n % 4 === 3,
    socket: fresh.connect({ key, user: 'ben', device: `device-${n}`, query: `?after=${n % 4 === 3 ? future : start}` }),
  }));
  for (const { wrong, socket } of back) {
    if (wrong) assert.equal((await socket.closed()).code, 4202);
    else {
      await socket.next('resumed');
      assert.deepEqual(texts(socket.events()), ['hello']);
      socket.ws.terminate();
    }
  }
  first.ws.close();
  await fresh.stop();
});
