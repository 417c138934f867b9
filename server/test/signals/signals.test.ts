import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ConversationId, newId, type TenantId } from '../../src/domain/ids.ts';
import { memorySignals, type Signals, type Topic, type Word } from '../../src/signals/signals.ts';
import { NO_REDIS } from '../outside/redis-server.ts';
import { until } from '../until.ts';
import { aloneWorld, type BusInstance, type BusWorld, postgresWorld, redisWorld } from './buses.ts';

const TENANT = newId<TenantId>();
const eventsOf = (n: number): Topic => `events:${TENANT}-${n}` as Topic;

function typing(user: string, at: number): Word {
  return {
    kind: 'typing',
    tenant: TENANT,
    conversation: newId<ConversationId>(),
    user,
    is_typing: true,
    at,
  };
}

/** How often a listener was called. */
function counted(signals: Signals, topic: Topic): { calls: number; end: () => void } {
  const seen = { calls: 0, end: () => {} };
  seen.end = signals.listen(topic, () => {
    seen.calls++;
  });
  return seen;
}

function ownSide(name: string, make: () => Promise<Signals>): void {
  describe(`${name}, within an instance`, () => {
    test('a notice reaches every listener of its topic at once, and no other', async () => {
      const signals = await make();
      const [first, second, other] = [counted(signals, 'keys'), counted(signals, 'keys'), counted(signals, 'media')];
      signals.notify('keys');
      assert.deepEqual([first.calls, second.calls, other.calls], [1, 1, 0]);
    });

    test('who has stopped listening or hearing is not called any more', async () => {
      const signals = await make();
      const gone = counted(signals, 'keys');
      gone.end();
      gone.end();
      const heard: Word[] = [];
      const deaf = signals.hear((word) => heard.push(word));
      signals.say(typing('anna', 1));
      deaf();
      signals.say(typing('anna', 2));
      signals.notify('keys');
      assert.equal(gone.calls, 0);
      assert.deepEqual(
        heard.map((word) => 'at' in word && word.at),
        [1],
      );
    });
  });
}

function conformance(name: string, make: () => Promise<BusWorld>, skip: string | false): void {
  describe(`${name}, between instances`, { skip }, () => {
    let world: BusWorld;
    let one: BusInstance;
    let two: BusInstance;
    let three: BusInstance;

    before(async () => {
      world = await make();
      [one, two, three] = (await world.start(3)) as [BusInstance, BusInstance, BusInstance];
    });
    after(() => world.close());

    test('a notice reaches the listeners of all instances, each time', async () => {
      for (let i = 0; i < 5; i++) {
        const heard = [one, two, three].map(({ signals }) => counted(signals, eventsOf(i)));
        one.signals.notify(eventsOf(i));
        assert.equal(heard[0]?.calls, 1, 'the own listener is told before notify returns');
        await until('the others are told', () => heard.every(({ calls }) => calls > 0));
      }
    });

    test('a burst goes as few notices, and the last of it is heard', async () => {
      const before = two.counts.get(`sent ${name}`) ?? 0;
      const [burst, last] = [counted(one.signals, eventsOf(100)), counted(one.signals, 'exports')];
      for (let i = 0; i < 10_000; i++) two.signals.notify(eventsOf(100));
      two.signals.notify('exports');
      await until('the last is heard', () => last.calls > 0);
      assert.ok(burst.calls >= 1 && burst.calls <= 5, `${burst.calls} times`);
      assert.ok((two.counts.get(`sent ${name}`) ?? 0) - before <= 5);
    });

    test('more topics than a notice holds reach all who listen', async () => {
      const heard = Array.from({ length: 5000 }, (_, i) => counted(three.signals, eventsOf(1000 + i)));
      for (let i = 0; i < 5000; i++) two.signals.notify(eventsOf(1000 + i));
      await until('all are told', () => heard.every(({ calls }) => calls > 0));
      for (const { end } of heard) end();
    });

    test('the words of each sayer are heard everywhere, once and in their order', async () => {
      const heard = [one, two, three].map(({ signals }) => {
        const words: Record<string, number[]> = { anna: [], ben: [] };
        const end = signals.hear((word) => {
          if (word.kind === 'typing') words[word.user]?.push(word.at);
        });
        return { words, end };
      });
      const told = Array.from({ length: 300 }, (_, i) => i);
      for (const at of told) {
        one.signals.say(typing('anna', at));
        two.signals.say(typing('ben', at));
        if (at % 50 === 0) await new Promise(setImmediate);
      }
      await until('all is heard', () =>
        heard.every(({ words }) => words['anna']?.at(-1) === 299 && words['ben']?.at(-1) === 299),
      );
      for (const { words, end } of heard) {
        end();
        assert.deepEqual(words, { anna: told, ben: told });
      }
    });

    test('what concerns one instance stays there: a message, and a lane whose owner is here', async () => {
      const lane = counted(one.signals, 'due:7');
      const elsewhere = [counted(two.signals, 'due:7'), counted(two.signals, 'message:x' as Topic)];
      const last = counted(two.signals, 'due:8');
      one.signals.notify('due:7');
      one.signals.notify('message:x' as Topic);
      one.signals.notify('due:8');
      await until('what travels has come', () => last.calls > 0);
      assert.equal(lane.calls, 1);
      assert.deepEqual(
        elsewhere.map(({ calls }) => calls),
        [0, 0],
      );
    });

    test('while the bus is down nothing throws or blocks; afterwards everybody is told', async () => {
      const heard = [counted(two.signals, 'templates'), counted(three.signals, 'templates')];
      await world.breakBus();
      const before = performance.now();
      for (let i = 0; i < 20_000; i++) {
        one.signals.notify(eventsOf(i));
        one.signals.say(typing('anna', i));
      }
      one.signals.notify('templates');
      assert.ok(performance.now() - before < 2000, 'telling waits for nothing');
      await world.mendBus();
      await until('the others are told', () => heard.every(({ calls }) => calls > 0));
      if (name === 'postgres')
        assert.ok((one.counts.get('lost') ?? 0) > 0, 'what was said meanwhile is lost, and counted');
      // And it goes on as before.
      const again = counted(three.signals, 'redrives');
      one.signals.notify('redrives');
      await until('the next is heard', () => again.calls > 0);
    });

    test('an instance that comes later hears and is heard', async () => {
      const [four] = (await world.start(1)) as [BusInstance];
      const [there, here] = [counted(four.signals, 'accounts'), counted(one.signals, 'apps')];
      one.signals.notify('accounts');
      four.signals.notify('apps');
      await until('both are told', () => there.calls > 0 && here.calls > 0);
    });

    test('one that was stopped tells nobody and is told nothing; what it told before still goes', async () => {
      const [four] = (await world.start(1)) as [BusInstance];
      const last = counted(one.signals, 'blocked_users');
      four.signals.notify('blocked_users');
      await Promise.all([four.signals.stop(), four.signals.stop()]);
      await until('its last notice is heard', () => last.calls > 0);
      const [itself, others] = [counted(four.signals, 'senders'), counted(one.signals, 'pauses')];
      const [witness] = [counted(two.signals, 'senders')];
      four.signals.notify('pauses');
      one.signals.notify('senders');
      await until('the living are told', () => witness.calls > 0);
      assert.deepEqual([itself.calls, others.calls], [0, 0]);
    });
  });
}

ownSide('memory', async () => memorySignals());
ownSide('a shared bus without others', async () => ((await (await aloneWorld()).start(1)) as [BusInstance])[0].signals);
conformance('postgres', postgresWorld, false);
conformance('redis', redisWorld, NO_REDIS);
